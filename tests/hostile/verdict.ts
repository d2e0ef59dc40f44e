// SPDX-License-Identifier: Apache-2.0
import { expect } from "bun:test";
import type { Finished } from "../harness/process.ts";

/** What a hook may take beyond its deadline. */
const graceMs = 300;

/** Whatever it was given, the hook decides, in time, and says so in plain words. */
export function expectCivil(result: Finished, deadlineMs: number): void {
  expect(result.signal).toBeNull();
  expect([0, 1]).toContain(result.exitCode ?? -1);
  expect(result.elapsedMs).toBeLessThanOrEqual(deadlineMs + graceMs);
  // A stack trace, Bun's crash report, or a library's own exception.
  expect(result.stderr).not.toMatch(
    /^\s+at |Bun v\d|panic|TypeError|RangeError|ReferenceError|Segmentation/m,
  );
  // A few words, not a dump; they may repeat an argument, which is 5,000 characters long in these tests.
  expect(result.stderr.length).toBeLessThan(8_192);
  expect(result.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
}
