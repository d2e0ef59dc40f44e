// SPDX-License-Identifier: Apache-2.0
// The constants of bpf/arguments.h: what a program reads of its context. A test compares the two by the object's BTF.

import { encodeNumber } from "./bytes.ts";

/** Enum reading. */
export const reading = {
  ...{
    nothing: 0,
    number: 1,
    userString: 2,
    kernelString: 3,
    anyString: 4,
    location: 5,
    array: 6,
    buffer: 7,
  },
  ...{ fd: 8, file: 9, path: 10, dentry: 11, mount: 12, mapping: 13, binprm: 14 },
  ...{ sock: 15, socket: 16, sockaddr: 17, message: 18, cred: 19, task: 20, facet: 21 },
} as const; // const: the names are a union

/** Struct hook_argument. */
export interface ArgumentRead {
  readonly reading: keyof typeof reading;
  /** Of the value in the context, in bytes. */
  readonly offset?: number;
  readonly bytes?: number;
  /** What it means depends on the reading. */
  readonly other?: number;
  readonly otherBytes?: number;
}

/** Only calls with an IPv4 or IPv6 address in argument 1 are events. */
export const HOOK_INTERNET = 1;

export const ARGUMENTS = 5;
const ARGUMENT_BYTES = 20;

/** By the names of the constants. */
export function encodeHook(
  id: number,
  args: readonly ArgumentRead[],
  flags = 0,
): ReadonlyMap<string, Uint8Array> {
  if (args.length > ARGUMENTS) throw new RangeError(`${args.length} arguments`);
  const bytes = new Uint8Array(ARGUMENTS * ARGUMENT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [at, one] of args.entries()) {
    const fields = [reading[one.reading], one.offset, one.bytes, one.other, one.otherBytes];
    for (const [field, value = 0] of fields.entries())
      view.setUint32(at * ARGUMENT_BYTES + field * 4, value, true);
  }
  return new Map([
    ["hook__id", encodeNumber(id)],
    ["hook__flags", encodeNumber(flags)],
    ["hook__arguments", bytes],
  ]);
}
