// SPDX-License-Identifier: Apache-2.0
// Options of a policy: a name and a value, which is always a string.

import * as v from "valibot";
import { describeValue } from "./describe-value.ts";
import { joinNames } from "./nearest-names.ts";
import { nonEmptyText, text } from "./scalar.ts";
import { shape } from "./shape.ts";

interface Kind {
  readonly allows: (value: string) => boolean;
  readonly wanted: string;
}

const oneOfTexts = (...names: readonly string[]): Kind => ({
  allows: (value) => names.includes(value),
  wanted: joinNames(names),
});

/** The values that Go's strconv.ParseBool accepts. */
const booleans = ["1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];
const boolean: Kind = { allows: (value) => booleans.includes(value), wanted: "true or false" };
const positive: Kind = {
  allows: (value) => /^\+?\d{1,15}$/.test(value) && Number(value) > 0,
  wanted: "a whole number above 0",
};

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["disable-kprobe-multi", boolean],
  ["disable-uprobe-multi", boolean],
  ["override-method", oneOfTexts("fmod-ret", "override-return")],
  ["policy-mode", oneOfTexts("enforce", "monitor")],
  ["sleepable-preload-size", positive],
]);

export const optionNames: readonly string[] = [...kinds.keys()];
export const isKnownOption = ({ name }: PolicyOption): boolean => kinds.has(name);

/** Unknown names are ignored: a policy may be written for a newer reference. */
export const policyOption = shape(
  { name: nonEmptyText, value: v.optional(text, "") },
  ({ name, value }, report) => {
    const kind = name === undefined ? undefined : kinds.get(name);
    if (kind === undefined || value === undefined || kind.allows(value)) return;
    report(["value"], `must be ${kind.wanted} for ${name}, not ${describeValue(value)}`);
  },
);

export type PolicyOption = v.InferOutput<typeof policyOption>;
