// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { globPaths, matchName } from "./go-glob.ts";
import { createMemoryFiles } from "./memory-files.fixture.ts";

// From the rules that the documentation of Go's path/filepath.Match gives.
test.each([
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "ab/c", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["[a-ζ]*", "α", true],
  ["[\\]a]", "]", true],
  ["[\\-x]", "-", true],
  ["a?b", "a/b", false],
  ["*x", "xxx", true],
  ["*", "", true],
  ["", "", true],
  ["*.toml", ".hidden.toml", true],
  ["[]a]", "]", undefined],
  ["[-]", "-", undefined],
  ["[x-]", "x", undefined],
  ["[a-b-c]", "a", undefined],
  ["[", "a", undefined],
  ["[^", "a", undefined],
  ["a[", "ab", undefined],
  ["a\\", "a", undefined],
])("%s of %s", (pattern, name, matches) => {
  expect(matchName(pattern, name)).toBe(matches);
});

test("a pattern with very many possible matches is fast", () => {
  expect(matchName(`${"*a".repeat(200)}b`, "a".repeat(4000))).toBe(false);
});

describe("paths", () => {
  const files = createMemoryFiles(
    Object.fromEntries(
      ["/etc/c/conf.d/9.toml", "/etc/c/conf.d/10.toml", "/etc/c/x.d/9.toml", "/etc/c/a?.toml"].map((path) => [
        path,
        "",
      ]),
    ),
  );
  test.each([
    { pattern: "/etc/c/conf.d/*.toml", paths: ["/etc/c/conf.d/10.toml", "/etc/c/conf.d/9.toml"] },
    { pattern: "/etc/c/*.d/9.toml", paths: ["/etc/c/conf.d/9.toml", "/etc/c/x.d/9.toml"] },
    { pattern: "/etc/*/*.d/[0-8]*", paths: ["/etc/c/conf.d/10.toml"] },
    { pattern: "/etc/c/none/*", paths: [] },
    { pattern: "/etc/c/a?.toml", paths: ["/etc/c/a?.toml"] },
    { pattern: "/etc/c/[", paths: undefined },
  ])("$pattern", ({ pattern, paths }) => {
    expect(globPaths(files, pattern)).toEqual(paths);
  });
});
