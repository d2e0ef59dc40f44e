// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findDifference } from "./compare-output.ts";

test.each([
  { name: "the same", shown: "a\nb\n", printed: "a\nb\n", differs: undefined },
  { name: "another line", shown: "a\nb\n", printed: "a\nc\n", differs: "b" },
  { name: "a line less", shown: "a\nb\n", printed: "a\n", differs: "b" },
  { name: "a line more", shown: "a\n", printed: "a\nb\n", differs: '(nothing for the line "b")' },
  { name: "widths of columns", shown: "a  b", printed: "a       b", differs: undefined },
  { name: "ids", shown: "id 0123456789ab", printed: "id fedcba987654", differs: undefined },
  { name: "an id that is none", shown: "id 0123456789ab", printed: "id -", differs: "id 0123456789ab" },
  {
    name: "times and durations",
    shown: "2026-11-28T10:00:00.5Z 4s",
    printed: "2027-01-01T00:00:00Z 12ms",
    differs: undefined,
  },
  { name: "long numbers", shown: "cgroup 8352197", printed: "cgroup 4711", differs: undefined },
  { name: "short numbers", shown: "exit code 1", printed: "exit code 3", differs: "exit code 1" },
  { name: "… within a line", shown: "a … d", printed: "a b c d", differs: undefined },
  { name: "… with what does not follow", shown: "a … d", printed: "a b c", differs: "a … d" },
  { name: "… for lines", shown: "a\n…\nd", printed: "a\nb\nc\nd", differs: undefined },
  { name: "… for no line", shown: "a\n…\nd", printed: "a\nd", differs: undefined },
  { name: "… at the end", shown: "a\n…", printed: "a\nb", differs: undefined },
])("$name", ({ shown, printed, differs }) => {
  expect(findDifference(shown, printed)).toBe(differs);
});
