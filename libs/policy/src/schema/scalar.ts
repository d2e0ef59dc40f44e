// SPDX-License-Identifier: Apache-2.0
// Schemas of strings, booleans, numbers and names from a set, with messages that name the allowed values.

import * as v from "valibot";
import { describeValue } from "./describe-value.ts";
import { findNearestNames, joinNames } from "./nearest-names.ts";
import { describeSchema } from "./schema-part.ts";

/** Unquoted numbers and booleans of YAML are the most frequent mistake in `values`. */
export const text = v.string(({ input }) => {
  const hint = typeof input === "number" || typeof input === "boolean" ? `; write "${input}"` : "";
  return `must be a string, not ${describeValue(input)}${hint}`;
});

export const nonEmptyText = describeSchema(v.pipe(text, v.nonEmpty("must not be empty")), {
  ...{ kind: "text", minLength: 1 },
});

export const flag = v.boolean(({ input }) => `must be true or false, not ${describeValue(input)}`);

/** False by default. */
export const switchedOff = v.optional(flag, false);

/** The CRD has int32 for fields that are unsigned in the reference: both bounds apply. */
export const unsigned = wholeNumber(0, 0x7fffffff);
export const signed = wholeNumber(-0x80000000, 0x7fffffff);
/** An address or an offset in a file, up to the largest exact integer of a number. */
export const address = wholeNumber(0, Number.MAX_SAFE_INTEGER);

function wholeNumber(min: number, max: number) {
  const wanted = ({ input }: v.BaseIssue<unknown>): string =>
    `must be a whole number from ${min} to ${max}, not ${describeValue(input)}`;
  return describeSchema(
    v.pipe(v.number(wanted), v.integer(wanted), v.minValue(min, wanted), v.maxValue(max, wanted)),
    { kind: "integer", min, max },
  );
}

/** One of these names, case-sensitive. */
export const oneOf = <const T extends readonly string[]>(names: T) =>
  describeSchema(
    v.picklist(names, ({ input }) => {
      const near = typeof input === "string" ? findNearestNames(input, names) : [];
      const hint = near.length > 0 ? `; did you mean ${joinNames(near)}?` : "";
      return `must be ${joinNames(names)}, not ${describeValue(input)}${hint}`;
    }),
    { kind: "text", oneOf: names },
  );

/** A string that matches `pattern`, which Go's regexp can read too and which has no flags. */
export const matching = (pattern: RegExp, wanted: string) =>
  describeSchema(
    v.pipe(
      text,
      v.check(
        (value) => pattern.test(value),
        ({ input }) => `must be ${wanted}, not ${describeValue(input)}`,
      ),
    ),
    { kind: "text", pattern: pattern.source },
  );
