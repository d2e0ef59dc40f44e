// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parseSpec, parseState, renderSpecError } from "./spec.ts";

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

describe("parseSpec", () => {
  test("takes what identifies a container and leaves the rest", () => {
    const spec = parseSpec(
      bytes({
        ociVersion: "1.0.2",
        process: { args: ["sh"] },
        root: { path: "rootfs", readonly: true },
        annotations: { a: "1" },
        mounts: [
          { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
          { destination: "/x" },
        ],
        linux: { cgroupsPath: "/a/b", namespaces: [] },
      }),
    );
    expect(spec).toEqual({
      ok: true,
      value: {
        annotations: new Map([["a", "1"]]),
        rootPath: "rootfs",
        cgroupsPath: "/a/b",
        mounts: [
          { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
          { destination: "/x", type: "", source: "", options: [] },
        ],
      },
    });
  });

  test("keeps annotations whose names are those of an object's own parts", () => {
    const spec = parseSpec(bytes('{"linux":{},"annotations":{"__proto__":"a","constructor":"b"}}'));
    expect(spec.ok && [...spec.value.annotations]).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });

  test.each([
    { what: "a spec with nothing but linux", text: '{"linux":{}}' },
    { what: "nulls, as Go writes them", text: '{"linux":{},"annotations":null,"mounts":null,"root":null}' },
  ])("accepts $what", ({ text }) => {
    expect(parseSpec(bytes(text)).ok).toBe(true);
  });

  test.each([
    { text: "", says: "not valid JSON" },
    { text: "{bad json", says: "not valid JSON" },
    { text: '{"linux":{"cgroupsPath":"/a"', says: "not valid JSON" },
    { text: "null", says: "Object" },
    { text: "[]", says: "linux" },
    { text: "{}", says: "the linux section is missing" },
    { text: '{"linux":null}', says: "the linux section is missing" },
    { text: '{"linux":{"cgroupsPath":7}}', says: "linux.cgroupsPath: " },
    { text: '{"linux":{},"annotations":{"a":1}}', says: 'annotations: the value of "a" is not a string' },
    { text: '{"linux":{},"annotations":[]}', says: "annotations: expected an object" },
    { text: '{"linux":{},"root":"x"}', says: "root: " },
    { text: '{"linux":{},"mounts":{}}', says: "mounts: expected a list" },
    ...[
      '{"type":"x"}',
      '{"destination":"/","type":1}',
      '{"destination":"/","source":[]}',
      '{"destination":"/","options":"ro"}',
      '{"destination":"/","options":["ro",1]}',
      "null",
      "7",
    ].map((mount) => ({
      text: `{"linux":{},"mounts":[{"destination":"/"},${mount}]}`,
      says: "mounts: element 1 is not a mount",
    })),
  ])("says what is wrong with $text", ({ text, says }) => {
    const spec = parseSpec(bytes(text));
    expect(spec.ok ? "parsed" : renderSpecError(spec.error)).toContain(says);
  });
});

describe("parseState", () => {
  test("takes what the runtime says", () => {
    expect(
      parseState(
        bytes({
          ociVersion: "1",
          id: "c",
          status: "creating",
          pid: 7,
          bundle: "/b",
          annotations: { a: "1" },
        }),
      ),
    ).toEqual({
      id: "c",
      pid: 7,
      bundle: "/b",
      annotations: new Map([["a", "1"]]),
    });
  });

  test("leaves out each field that is wrong", () => {
    expect(parseState(bytes({ id: 1, pid: 0, bundle: "", annotations: { a: 1 } }))).toEqual({
      id: undefined,
      pid: undefined,
      bundle: undefined,
      annotations: new Map(),
    });
  });

  test.each(["", "  ", "{", "null", "7", '"x"', "[]"])("%p is no state", (text) => {
    const state = parseState(bytes(text));
    expect(state?.id).toBeUndefined();
    expect(state?.bundle).toBeUndefined();
  });
});
