// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toPolicyEnforcement } from "./policy-enforcement.ts";

const none = { post: 0n, nopost: 0n, signal: 0n, override: 0n, monitorSignal: 0n, monitorOverride: 0n };
const denying = { counts: { ...none, post: 3n, nopost: 1n, override: 4n } };
const killing = { counts: { ...none, post: 2n, signal: 1n, monitorSignal: 1n, monitorOverride: 5n } };

test("the counts of a policy are those of all its rules", () => {
  expect(toPolicyEnforcement("prevented by lsm", [denying, killing])).toEqual({
    mechanism: "prevented by lsm",
    counts: { matches: 6, denials: 4, signals: 1, withheld: 6 },
  });
});

test("counts of which some cannot be read are not known", () => {
  expect(toPolicyEnforcement("counted", [denying, { counts: undefined }])).toEqual({
    mechanism: "counted",
    counts: undefined,
  });
});

test("a policy without rules in the kernel has nothing to show", () => {
  expect(toPolicyEnforcement("", [])).toBeUndefined();
});
