// SPDX-License-Identifier: Apache-2.0
// What all kinds of hooks have in common: arguments, selectors, message and tags.

import * as v from "valibot";
import { type Argument, argument } from "./argument.ts";
import { nonEmptyText, text } from "./scalar.ts";
import type { CelRule } from "./schema-part.ts";
import { type Selector, selector } from "./selector.ts";
import { listOf, type Report, requiredListOf } from "./shape.ts";
import { checkValueCount } from "./value-filter.ts";

const maxSelectors = 5;
const maxTags = 16;
/** Arguments and data together: an event has room for five. */
const maxArguments = 5;

export const argumentList = listOf(argument);
export const selectorList = v.optional(requiredListOf(selector, { count: maxSelectors }), []);

/** Long messages are cut, with a warning. */
const minMessageBytes = 2;
const message = v.pipe(
  text,
  v.check(
    (value) => value === "" || new TextEncoder().encode(value).length >= minMessageBytes,
    `must have at least ${minMessageBytes} bytes`,
  ),
);

/** Fields of every kind of hook. */
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

/** Of the hooks with a return value. */
export const returnRule: CelRule = {
  rule: "!has(self.return) || !self.return || has(self.returnArg)",
  message: "returnArg is required with return: true",
};

/** The rules that all kinds of hooks share. `hook` lacks the fields that its kind does not have. */
export function checkHook(hook: Partial<Hook>, report: Report): void {
  const { args, data = [], selectors } = hook;
  if (hook.return === true && "returnArg" in hook && hook.returnArg === undefined) {
    report(["returnArg"], "is required with return: true");
  }
  if (args === undefined) return;
  if (args.length + data.length > maxArguments) {
    const inAll = `${args.length + data.length}`;
    report(["args"], `must have at most ${maxArguments} entries, those of data included, not ${inAll}`);
  }
  for (const [place, { matchArgs, matchData, matchReturnArgs }] of (selectors ?? []).entries()) {
    const at =
      (list: string, index: number): Report =>
      (keys, what) =>
        report(["selectors", place, list, index, ...keys], what);
    for (const [index, filter] of matchArgs.entries()) {
      const [first] = filter.args;
      const about = first === undefined ? args.find((arg) => arg.index === filter.index) : args[first];
      checkValueCount(filter, about, at("matchArgs", index));
    }
    for (const [index, filter] of matchData.entries()) {
      checkValueCount(filter, data[filter.args[0] ?? filter.index], at("matchData", index));
    }
    for (const [index, filter] of matchReturnArgs.entries()) {
      checkValueCount(filter, hook.returnArg, at("matchReturnArgs", index));
    }
  }
}
