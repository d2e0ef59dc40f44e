// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { err } from "@rthooks/result";
import { readTracepointFields, readTracepointId } from "./trace-fs.ts";

test("the fields of a system call's tracepoint are read, behind the four that all have", () => {
  const fields = readTracepointFields("syscalls", "sys_enter_openat");
  if (!fields.ok) throw new Error(fields.error);
  // The number of the call, then its arguments.
  expect(fields.value.slice(4, 9).map(({ offset }) => offset)).toEqual([8, 16, 24, 32, 40]);
});

test.each(["../../../etc", "a/b", "", ".", "a\0", "a".repeat(200)])("%j is not a name", (name) => {
  expect(readTracepointFields("syscalls", name)).toEqual(err(expect.stringMatching(/^not the name of a/)));
  expect(readTracepointId(name, "sys_enter_openat")).toEqual(
    err(expect.stringMatching(/^not the name of a/)),
  );
});

test("an event that the kernel does not have is an error", () => {
  expect(readTracepointFields("syscalls", "sys_enter_nothing")).toEqual(
    err("the kernel has no tracepoint syscalls/sys_enter_nothing"),
  );
});
