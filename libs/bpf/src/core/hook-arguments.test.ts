// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { HookArgument } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { readFunctionArguments, readTracepointArguments } from "./hook-arguments.ts";
import type { TracepointField } from "./tracepoint-format.ts";

const arg = (index: number, reading: HookArgument["reading"], sizeIndex?: number): HookArgument =>
  sizeIndex === undefined ? { index, reading } : { index, reading, sizeIndex };

describe("arguments of a function", () => {
  const args = [arg(0, "sock"), arg(3, "uint16"), arg(0, "skip"), arg(2, "char_buf", 4)];

  test("are in the registers of the processor", () => {
    const onX64 = [
      { reading: "sock", offset: 112, bytes: 8 },
      { reading: "number", offset: 88, bytes: 2, other: 0 },
      { reading: "nothing" },
      { reading: "buffer", offset: 96, bytes: 8, other: 72, otherBytes: 8 },
    ] as const; // const: kinds of readings
    expect(readFunctionArguments("f", args, "x64")).toEqual(ok(onX64));
    const onArm = readFunctionArguments("f", args, "arm64");
    expect(onArm).toMatchObject({ value: [{ offset: 0 }, { offset: 24 }, {}, { offset: 16, other: 32 }] });
  });

  test("are signed as the policy says", () => {
    expect(readFunctionArguments("f", [arg(1, "int32"), arg(1, "uint32")], "x64")).toMatchObject({
      value: [
        { bytes: 4, other: 1 },
        { bytes: 4, other: 0 },
      ],
    });
  });

  test("point to memory of the process or of the kernel", () => {
    expect(readFunctionArguments("f", [arg(0, "string")], "x64")).toMatchObject({
      value: [{ reading: "anyString" }],
    });
  });

  test("an address is the destination, but the source for bind", () => {
    const other = (name: string): unknown => {
      const read = readFunctionArguments(name, [arg(1, "sockaddr")], "x64");
      return read.ok && read.value[0]?.other;
    };
    expect([other("security_socket_connect"), other("security_socket_bind")]).toEqual([0, 1]);
  });

  test("only five are in registers that are read", () => {
    expect(readFunctionArguments("f", [arg(5, "int32")], "x64")).toEqual(
      err("functions pass no argument 5 in a register that is read here"),
    );
  });

  test("more than five are refused", () => {
    const six = Array.from({ length: 6 }, (_, index) => arg(index % 5, "int32"));
    expect(readFunctionArguments("f", six, "x64")).toEqual(err("6 arguments, more than 5"));
  });
});

describe("fields of a tracepoint", () => {
  const fields: readonly TracepointField[] = [
    { offset: 0, size: 2, isSigned: false, content: "value" },
    { offset: 8, size: 8, isSigned: false, content: "value" },
    { offset: 16, size: 16, isSigned: true, content: "array" },
    { offset: 32, size: 4, isSigned: false, content: "location" },
    { offset: 40, size: 48, isSigned: false, content: "array" },
  ];
  const read = (isSyscall: boolean, ...args: readonly HookArgument[]) =>
    readTracepointArguments(args, fields, isSyscall);

  test("a field that is smaller than what is read is extended by its own sign", () => {
    expect(read(false, arg(0, "int32"))).toEqual(ok([{ reading: "number", offset: 0, bytes: 2, other: 0 }]));
    expect(read(false, arg(1, "int32"))).toEqual(ok([{ reading: "number", offset: 8, bytes: 4, other: 1 }]));
  });

  test("texts are where the field points to, in its place, or where the record says", () => {
    expect(read(false, arg(1, "string"), arg(2, "string"), arg(3, "kernel-string"))).toMatchObject({
      value: [
        { reading: "anyString", offset: 8 },
        { reading: "array", offset: 16, other: 16 },
        { reading: "location", offset: 32, bytes: 4 },
      ],
    });
  });

  test("of an array of numbers the first is read", () => {
    expect(read(true, arg(4, "uint64"))).toMatchObject({ value: [{ offset: 40, bytes: 8 }] });
  });

  test("what a process passes to a system call is never an address in the kernel", () => {
    for (const reading of [
      "kernel-string",
      "file",
      "path",
      "dentry",
      "linux_binprm",
      "sock",
      "cred",
    ] as const)
      expect(read(true, arg(1, reading))).toEqual(
        err(`argument 1 of a system call cannot be read as ${reading}`),
      );
    expect(read(true, arg(1, "string"), arg(1, "sockaddr"))).toMatchObject({
      value: [{ reading: "userString" }, { reading: "sockaddr", other: 2 }],
    });
  });

  test.each([
    [arg(5, "int32"), "the tracepoint has 5 fields, none with the index 5"],
    [arg(-1, "int32"), "the tracepoint has 5 fields, none with the index -1"],
    [arg(0, "string"), "argument 0 has 2 bytes and is not a pointer, as string needs"],
    [arg(1, "char_buf"), "argument 1 is a char_buf without the argument of its size"],
    [arg(1, "char_buf", 9), "argument 1 is a char_buf without the argument of its size"],
  ] as const)("%j is refused", (argument, reason) => {
    expect(read(true, argument)).toEqual(err(reason));
  });
});
