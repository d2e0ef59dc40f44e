// SPDX-License-Identifier: Apache-2.0
// What a policy reads of a function or a tracepoint, as the program reads it: where the value is in its context.

import type { ArgumentReading, HookArgument } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { ARGUMENTS, type ArgumentRead } from "./hook-constants.ts";
import { argumentRegisters, type Processor } from "./registers.ts";
import type { TracepointField } from "./tracepoint-format.ts";

/** Where texts and addresses are that an argument points to. */
type Memory = "user" | "any";

interface Value {
  readonly offset: number;
  readonly bytes: number;
  readonly isSigned: boolean;
}

const integers: Readonly<Partial<Record<ArgumentReading, readonly [bytes: number, isSigned: boolean]>>> = {
  ...{ int8: [1, true], int16: [2, true], int32: [4, true], int64: [8, true] },
  ...{ uint8: [1, false], uint16: [2, false], uint32: [4, false], uint64: [8, false] },
  capability: [4, true],
};

const pointers: Readonly<Partial<Record<ArgumentReading, ArgumentRead["reading"]>>> = {
  ...{ "kernel-string": "kernelString", file: "file", path: "path", dentry: "dentry" },
  ...{ linux_binprm: "binprm", sock: "sock", cred: "cred" },
};

const SOCKADDR_SOURCE = 1;
const SOCKADDR_USER = 2;

/** The error names the argument. */
export function readFunctionArguments(
  name: string,
  args: readonly HookArgument[],
  processor: Processor,
): Result<readonly ArgumentRead[], string> {
  const registers = argumentRegisters[processor];
  const at = (index: number): Value | undefined => {
    const offset = registers[index];
    return offset === undefined ? undefined : { offset, bytes: 8, isSigned: false };
  };
  const isSource = /bind/.test(name);
  return readAll(args, (argument) => {
    const value = at(argument.index);
    return value === undefined
      ? err(`functions pass no argument ${argument.index} in a register that is read here`)
      : readValue(argument, value, { memory: "any", size: at, isSource });
  });
}

/** `isSyscall`: what it points to is in the memory of the process. */
export function readTracepointArguments(
  args: readonly HookArgument[],
  fields: readonly TracepointField[],
  isSyscall: boolean,
): Result<readonly ArgumentRead[], string> {
  const at = (index: number): Value | undefined => {
    const field = fields[index];
    if (field === undefined) return undefined;
    // Of an array of numbers the first one is read.
    return { offset: field.offset, bytes: Math.min(8, field.size), isSigned: field.isSigned };
  };
  return readAll(args, (argument) => {
    const [field, value] = [fields[argument.index], at(argument.index)];
    if (field === undefined || value === undefined)
      return err(`the tracepoint has ${fields.length} fields, none with the index ${argument.index}`);
    const { offset } = field;
    if (isText(argument.reading)) {
      if (field.content === "location") return ok({ reading: "location", offset, bytes: 4 });
      if (field.content === "array") return ok({ reading: "array", offset, bytes: 0, other: field.size });
    }
    return readValue(argument, value, { memory: isSyscall ? "user" : "any", size: at, isSource: false });
  });
}

/** An index as that of a tracepoint's field: after the fields that all have, and the number of the call. */
const FIRST_CALL_ARGUMENT = 5;
const CALL_ARGUMENTS = 6;

/** Of a system call; `offset` and `other` of a reading are numbers of arguments. */
export function readCallArguments(args: readonly HookArgument[]): Result<readonly ArgumentRead[], string> {
  const at = (index: number): Value | undefined => {
    const offset = index - FIRST_CALL_ARGUMENT;
    return offset >= 0 && offset < CALL_ARGUMENTS ? { offset, bytes: 8, isSigned: false } : undefined;
  };
  return readAll(args, (argument) => {
    const value = at(argument.index);
    return value === undefined
      ? err(`system calls have arguments with the indexes 5 to 10, none with the index ${argument.index}`)
      : readValue(argument, value, { memory: "user", size: at, isSource: false });
  });
}

function readAll(
  args: readonly HookArgument[],
  read: (argument: HookArgument) => Result<ArgumentRead, string>,
): Result<readonly ArgumentRead[], string> {
  if (args.length > ARGUMENTS) return err(`${args.length} arguments, more than ${ARGUMENTS}`);
  const all: ArgumentRead[] = [];
  for (const argument of args) {
    const one: Result<ArgumentRead, string> =
      argument.reading === "skip" ? ok({ reading: "nothing" }) : read(argument);
    if (!one.ok) return one;
    all.push(one.value);
  }
  return ok(all);
}

interface Surroundings {
  readonly memory: Memory;
  /** The value of an argument that has a size. */
  readonly size: (index: number) => Value | undefined;
  readonly isSource: boolean;
}

function readValue(
  { index, reading, sizeIndex }: HookArgument,
  { offset, bytes, isSigned }: Value,
  { memory, size, isSource }: Surroundings,
): Result<ArgumentRead, string> {
  const integer = integers[reading];
  if (integer !== undefined) {
    // A field that is smaller than what the policy reads is extended by its own sign.
    const [wanted, signed] = bytes < integer[0] ? [bytes, isSigned] : integer;
    return ok({ reading: "number", offset, bytes: wanted, other: signed ? 1 : 0 });
  }
  if (reading === "fd") return ok({ reading: "fd", offset, bytes: Math.min(bytes, 4) });
  if (bytes < 8) return err(`argument ${index} has ${bytes} bytes and is not a pointer, as ${reading} needs`);
  if (reading === "string")
    return ok({ reading: memory === "user" ? "userString" : "anyString", offset, bytes });
  if (reading === "char_buf") {
    const length = sizeIndex === undefined ? undefined : size(sizeIndex);
    if (length === undefined) return err(`argument ${index} is a char_buf without the argument of its size`);
    return ok({ reading: "buffer", offset, bytes, other: length.offset, otherBytes: length.bytes });
  }
  if (reading === "sockaddr") {
    const other = (isSource ? SOCKADDR_SOURCE : 0) | (memory === "user" ? SOCKADDR_USER : 0);
    return ok({ reading: "sockaddr", offset, bytes, other });
  }
  const pointer = pointers[reading];
  if (pointer === undefined) return err(`argument ${index} cannot be read as ${reading}`);
  // A number from a process is never used as an address in the kernel, whatever the policy says.
  if (memory === "user") return err(`argument ${index} of a system call cannot be read as ${reading}`);
  return ok({ reading: pointer, offset, bytes });
}

const isText = (reading: ArgumentReading): boolean =>
  reading === "string" || reading === "kernel-string" || reading === "char_buf";
