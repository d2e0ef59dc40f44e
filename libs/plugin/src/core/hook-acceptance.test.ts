// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createHookAcceptance } from "./hook-acceptance.ts";

test("a runtime that makes none of three containers with a hook is told of once", () => {
  const acceptance = createHookAcceptance();
  const tell = (id: string) => {
    acceptance.added(id);
    return acceptance.removed(id);
  };
  expect(["a", "b", "c", "d"].map(tell)).toEqual([false, false, true, false]);
});

test("one that is made in between proves that the runtime takes the hook", () => {
  const acceptance = createHookAcceptance();
  for (const id of ["a", "b", "c", "d", "e"]) {
    acceptance.added(id);
    if (id === "c") acceptance.created(id);
    expect(acceptance.removed(id)).toBe(false);
  }
});

test("what got no hook, or ends after it was made, says nothing", () => {
  const acceptance = createHookAcceptance();
  for (const id of ["a", "b", "c", "d"]) expect(acceptance.removed(id)).toBe(false);
  for (const id of ["e", "f", "g", "h"]) {
    acceptance.added(id);
    acceptance.created(id);
    expect(acceptance.removed(id)).toBe(false);
  }
});
