// SPDX-License-Identifier: Apache-2.0
// The places in the kernel and in programs that a policy looks at.

import * as v from "valibot";
import { fields, filled, flag, index, list, oneOf, text } from "./fields.ts";
import { hookSelector } from "./selector-schema.ts";

const MAX_MESSAGE = 256;
const message = v.nullish(
  v.pipe(
    text,
    v.minLength(2, "has less than 2 characters"),
    // Longer ones are cut, as the reference does.
    v.transform((long) => long.slice(0, MAX_MESSAGE)),
  ),
);
const tags = v.nullish(list(filled, 16));
const selectors = v.nullish(list(hookSelector, 5));

const argument = fields({
  index,
  type: v.nullish(filled, "auto"),
  source: v.nullish(text),
  resolve: v.nullish(text),
  btfType: v.nullish(text),
  btfTypeModule: v.nullish(text),
  sizeArgIndex: v.nullish(index),
  returnCopy: v.nullish(flag),
  maxData: v.nullish(flag),
  label: v.nullish(text),
});
const args = v.nullish(list(argument));

const returns = {
  return: v.nullish(flag, false),
  returnArg: v.nullish(argument),
  returnArgAction: v.nullish(oneOf(["Post", "TrackSock", "UntrackSock"])),
} as const; // const: each field keeps its own schema

const needsReturnArg = <T extends { readonly return?: boolean | null; readonly returnArg?: unknown }>(
  hook: T,
): boolean => hook.return !== true || hook.returnArg != null;

export const kprobe = v.pipe(
  fields({
    call: filled,
    syscall: v.nullish(flag, true),
    ...returns,
    message,
    tags,
    args,
    data: args,
    selectors,
    ignore: v.nullish(fields({ callNotFound: v.nullish(flag) })),
  }),
  v.forward(v.check(needsReturnArg, "is needed with return: true"), ["returnArg"]),
);

export const tracepoint = fields({
  subsystem: filled,
  event: filled,
  raw: v.nullish(flag),
  message,
  tags,
  args,
  selectors,
});

export const lsmHook = fields({ hook: filled, message, tags, args, selectors });

export const uprobe = v.pipe(
  fields({
    path: filled,
    btfPath: v.nullish(text),
    symbols: v.nullish(list(filled)),
    offsets: v.nullish(list(index)),
    addrs: v.nullish(list(index)),
    refCtrOffsets: v.nullish(list(index)),
    binaryDigests: v.nullish(list(text)),
    ignore: v.nullish(fields({ digestVerificationFailure: v.nullish(flag) })),
    ...returns,
    message,
    tags,
    args,
    data: args,
    selectors,
  }),
  v.forward(v.check(needsReturnArg, "is needed with return: true"), ["returnArg"]),
  v.check(
    ({ symbols, offsets, addrs }) =>
      [symbols, offsets, addrs].filter((places) => places != null && places.length > 0).length <= 1,
    "takes one of symbols, offsets and addrs",
  ),
);

export const usdt = fields({ path: filled, provider: filled, name: filled, message, tags, args, selectors });
