// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { describeFailure, isFailureKind } from "@rthooks/explain";
import type { HookFailure } from "@rthooks/machines/hook";
import { refusalKinds } from "./refusal.ts";

/** A kind that the hook gets makes this object incomplete, and the type check fails. */
const hookKinds: Readonly<Record<HookFailure["kind"], true>> = {
  spec: true,
  unreachable: true,
  deadline: true,
  refused: true,
};
const sentence = /^[A-Z][^\n]{20,}\.$/;

test.each([...refusalKinds, ...Object.keys(hookKinds), "plugin"])("%s has words of its own", (kind) => {
  expect(isFailureKind(kind)).toBe(true);
  const { what, next, message } = describeFailure(kind, "as it was\nreported");
  expect([what, next]).toEqual([expect.stringMatching(sentence), expect.stringMatching(sentence)]);
  expect(message).toBe("as it was\nreported");
});

test("a kind of a newer program has general advice", () => {
  for (const kind of ["meteor", "toString", ""]) {
    expect(isFailureKind(kind)).toBe(false);
    expect(describeFailure(kind, "boom")).toMatchObject({ kind, message: "boom", next: expect.any(String) });
  }
});
