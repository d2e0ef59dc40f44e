// SPDX-License-Identifier: Apache-2.0
// What all kinds of hooks have in common: arguments, selectors, what an event says.

import * as v from "valibot";
import { type Argument, argument } from "./argument.ts";
import { nonEmptyText, text } from "./scalar.ts";
import { type Selector, selector } from "./selector.ts";
import { listOf, type Report, requiredListOf } from "./shape.ts";
import { judgeValueCount } from "./value-filter.ts";

const maxSelectors = 5;
const maxTags = 16;
/** Arguments and data share the places of one event. */
const maxArguments = 5;

export const argumentList = listOf(argument);
export const selectorList = v.optional(requiredListOf(selector, { count: maxSelectors }), []);

/** A longer message is cut when the policy is put together: that gives a warning. */
const minMessageBytes = 2;
const message = v.pipe(
  text,
  v.check(
    (value) => value === "" || new TextEncoder().encode(value).length >= minMessageBytes,
    `must have at least ${minMessageBytes} bytes`,
  ),
);

/** Of every kind of hook. */
export const described = {
  message: v.optional(message, ""),
  tags: listOf(text, { count: maxTags }),
};

export const requiredText = nonEmptyText;

interface Hook {
  readonly args: readonly Argument[];
  readonly data: readonly Argument[];
  readonly return: boolean;
  readonly returnArg: Argument | undefined;
  readonly selectors: readonly Selector[];
}

/** The rules that all kinds of hooks share. What a kind does not have is left out. */
export function judgeHook(hook: Partial<Hook>, report: Report): void {
  const { args, data = [], selectors } = hook;
  if (hook.return === true && "returnArg" in hook && hook.returnArg === undefined) {
    report(["returnArg"], "is required with return: true");
  }
  if (args === undefined) return;
  if (args.length + data.length > maxArguments) {
    const inAll = `${args.length + data.length}`;
    report(["args"], `there may be ${maxArguments} entries, those of data included, not ${inAll}`);
  }
  for (const [place, { matchArgs, matchData, matchReturnArgs }] of (selectors ?? []).entries()) {
    const at =
      (list: string, index: number): Report =>
      (keys, what) =>
        report(["selectors", place, list, index, ...keys], what);
    for (const [index, filter] of matchArgs.entries()) {
      const [first] = filter.args;
      const about = first === undefined ? args.find((arg) => arg.index === filter.index) : args[first];
      judgeValueCount(filter, about, at("matchArgs", index));
    }
    for (const [index, filter] of matchData.entries()) {
      judgeValueCount(filter, data[filter.args[0] ?? filter.index], at("matchData", index));
    }
    for (const [index, filter] of matchReturnArgs.entries()) {
      judgeValueCount(filter, hook.returnArg, at("matchReturnArgs", index));
    }
  }
}
