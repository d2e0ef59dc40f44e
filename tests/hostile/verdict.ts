// SPDX-License-Identifier: Apache-2.0
import { expect } from "bun:test";
import type { Finished } from "../harness/process.ts";

/**
 * Whatever it was given, the hook decides, in time, and says so in plain words. A hook that waits for longer than it was
 * told is killed by the guard of its test; how long a start takes is the machine's.
 */
export function expectCivil(result: Finished): void {
  expect(result.signal).toBeNull();
  expect([0, 1]).toContain(result.exitCode ?? -1);
  // A stack trace, Bun's crash report, or a library's own exception.
  expect(result.stderr).not.toMatch(
    /^\s+at |Bun v\d|panic|TypeError|RangeError|ReferenceError|Segmentation/m,
  );
  // A few words, not a dump; they may repeat an argument, which is 5,000 characters long in these tests.
  expect(result.stderr.length).toBeLessThan(8_192);
  expect(result.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
}
