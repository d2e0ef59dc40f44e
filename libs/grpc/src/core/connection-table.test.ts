// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createConnectionTable, toConnectionBounds } from "./connection-table.ts";

const bounds = { maxConnections: 3, maxConnectionBytes: 100, maxTotalBytes: 150 };

describe("a connection too many", () => {
  test("ends the one that was unused for longest", () => {
    const table = createConnectionTable<string>(bounds);
    for (const name of ["a", "b", "c"]) expect(table.open(name)).toBeUndefined();
    table.touch("a");
    expect(table.open("d")).toEqual({ connection: "b", why: "too many connections" });
    expect(table.size()).toBe(3);
  });

  test("ends none whose call is being answered", () => {
    const table = createConnectionTable<string>(bounds);
    for (const name of ["a", "b", "c"]) table.open(name);
    for (const name of ["a", "b"]) table.countCall(name, 1);
    expect(table.open("d")).toMatchObject({ connection: "c" });
    table.countCall("d", 1);
    expect(table.open("e")).toMatchObject({ connection: "e" });
    table.countCall("a", -1);
    expect(table.open("f")).toMatchObject({ connection: "a" });
  });

  test("is not counted once it has closed", () => {
    const table = createConnectionTable<string>(bounds);
    for (const name of ["a", "b", "c"]) table.open(name);
    table.close("b");
    expect(table.open("d")).toBeUndefined();
  });
});

describe("bytes under way", () => {
  test("beyond the bound of one connection end it", () => {
    const table = createConnectionTable<string>(bounds);
    table.open("a");
    expect(table.countBytes("a", 100)).toBeUndefined();
    expect(table.countBytes("a", 1)).toEqual({ connection: "a", why: "too many bytes under way" });
    // What comes from it until it has ended is not counted.
    expect(table.countBytes("a", 1000)).toBeUndefined();
  });

  test("beyond the bound of all end the connection that has most", () => {
    const table = createConnectionTable<string>(bounds);
    for (const name of ["a", "b", "c"]) table.open(name);
    table.countBytes("a", 90);
    table.countBytes("b", 50);
    expect(table.countBytes("c", 11)).toMatchObject({ connection: "a" });
    expect(table.countBytes("c", 80)).toBeUndefined();
  });

  test("are free again when the call has ended, or the connection", () => {
    const table = createConnectionTable<string>(bounds);
    for (const name of ["a", "b"]) table.open(name);
    table.countBytes("a", 90);
    table.countBytes("a", -90);
    table.countBytes("b", 90);
    table.close("b");
    table.countBytes("a", 90);
    table.open("c");
    expect(table.countBytes("c", 60)).toBeUndefined();
  });
});

test.each([
  { descriptors: 64, maxConnections: 16 },
  { descriptors: 10, maxConnections: 8 },
  { descriptors: 1024, maxConnections: 256 },
  { descriptors: Infinity, maxConnections: 1024 },
])("of $descriptors descriptors clients get $maxConnections", ({ descriptors, maxConnections }) => {
  expect(toConnectionBounds(descriptors)).toMatchObject({ maxConnections });
});
