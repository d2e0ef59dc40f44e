// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { chooseRoot } from "./root-cgroup.ts";

describe("a report of a container with a root", () => {
  const root = { path: "/c", id: 7n };
  const never = (): never => {
    throw new Error("the recorded root need not be inspected");
  };
  test("that names a cgroup below it means the root", () => {
    expect(chooseRoot(root, { path: "/c/container", id: 8n }, never)).toEqual(root);
  });
  test("that names another cgroup means that one only when the root is gone", () => {
    const other = { path: "/d", id: 9n };
    expect(chooseRoot(root, other, () => true)).toEqual(other);
    expect(chooseRoot(root, other, () => false)).toBeUndefined();
    expect(chooseRoot(undefined, other, never)).toEqual(other);
  });
});
