// SPDX-License-Identifier: Apache-2.0
// The words that every part of the schema is made of. What is null counts as absent, as it does for Kubernetes.

import * as v from "valibot";

/** An object with these fields and no others. */
export const fields = <const T extends v.ObjectEntries>(entries: T) =>
  v.strictObject(entries, (issue) =>
    issue.expected === "never"
      ? `unknown field; known here: ${Object.keys(entries).join(", ")}`
      : `expected an object, not ${issue.received}`,
  );

export const text = v.string((issue) => `expected a text, not ${issue.received}`);

export const flag = v.boolean((issue) => `expected true or false, not ${issue.received}`);

export const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) =>
  v.picklist(choices, (issue) => `${issue.received} is none of ${choices.join(", ")}`);

const number = v.number((issue) => `expected a number, not ${issue.received}`);

export const integer = v.pipe(
  number,
  v.integer((issue) => `${issue.received} is no whole number`),
);

/** u32 of the CRD. */
export const index = v.pipe(
  integer,
  v.minValue(0, (issue) => `${issue.received} is negative`),
  v.maxValue(0xffff_ffff, (issue) => `${issue.received} is more than 32 bits hold`),
);

export const list = <T extends v.GenericSchema>(item: T, limit = 10_000) =>
  v.pipe(
    v.array(item, (issue) => `expected a list, not ${issue.received}`),
    v.maxLength(limit, (issue) => `has ${issue.received} entries, at most ${limit} are possible`),
  );

export const filled = v.pipe(text, v.nonEmpty("must not be empty"));
