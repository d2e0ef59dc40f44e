// SPDX-License-Identifier: Apache-2.0
// Objects, lists and maps as valibot schemas that report everything that is wrong with them.
// valibot's own strictObject stops at the first unknown key and lets "constructor" pass for a known one.

import * as v from "valibot";
import { describeValue } from "./describe-value.ts";
import { findNearestNames, joinNames } from "./nearest-names.ts";
import { maxProblems, type PathKey } from "./policy-problem.ts";
import { describeSchema } from "./schema-part.ts";

type Entries = Readonly<Record<string, v.GenericSchema>>;
type Output<E extends Entries> = { readonly [K in keyof E]: v.InferOutput<E[K]> };
export type Report = (at: readonly PathKey[], message: string) => void;

/** A rule between fields. `value` has the fields that are valid by themselves. */
export type Rule<T> = (value: Partial<T>, report: Report) => void;

type PathItem = v.IssuePathItem;
type AddIssue = (issue: { readonly message: string; readonly path?: [PathItem, ...PathItem[]] }) => void;

/**
 * An object with these fields and no others. A field may be absent or null when its schema is `v.optional`: the reference
 * decodes into Go structs, where null equals an absent field.
 */
export const shape = <const E extends Entries>(
  entries: E,
  rule?: Rule<Output<E>>,
  unknownHint = `known here: ${joinNames(Object.keys(entries))}`,
): v.GenericSchema<unknown, Output<E>> =>
  describeSchema(
    v.pipe(
      v.custom<Readonly<Record<string, unknown>>>(
        isRecord,
        ({ input }) => `must be an object, not ${describeValue(input)}`,
      ),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const add = countIssues(addIssue);
        const known = Object.keys(entries);
        for (const key of Object.keys(dataset.value)) {
          if (Object.hasOwn(entries, key)) continue;
          if (add.count === maxProblems) break;
          const near = findNearestNames(key, known);
          const hint = near.length > 0 ? `did you mean ${joinNames(near)}?` : unknownHint;
          add.issue({ message: `unknown field; ${hint}`, path: [toItem(key)] });
        }
        const output: Record<string, unknown> = {};
        for (const [key, schema] of Object.entries(entries)) {
          const input = Object.hasOwn(dataset.value, key) ? (dataset.value[key] ?? undefined) : undefined;
          if (input === undefined && schema.type !== "optional") {
            add.issue({ message: "is required", path: [toItem(key)] });
            continue;
          }
          const parsed = v.safeParse(schema, input);
          if (parsed.success) output[key] = parsed.output;
          else forward(parsed.issues, key, add.issue);
        }
        // Each field in `output` is the output of its own schema.
        const value = output as Partial<Output<E>>;
        rule?.(value, (at, message) => {
          const [first, ...rest] = at;
          if (first === undefined) add.issue({ message });
          else add.issue({ message, path: [toItem(first), ...rest.map(toItem)] });
        });
        // Without issues every field is set.
        return add.count > 0 ? NEVER : (value as Output<E>);
      }),
    ),
    { kind: "object", fields: entries },
  );

/** Empty by default, as in the reference, for which an absent list equals an empty one. */
export const listOf = <T>(item: v.GenericSchema<unknown, T>, max?: { readonly count: number }) =>
  v.optional(requiredListOf(item, max), []);

export const requiredListOf = <T>(
  item: v.GenericSchema<unknown, T>,
  max?: { readonly count: number },
): v.GenericSchema<unknown, readonly T[]> =>
  describeSchema(
    v.pipe(
      v.custom<readonly unknown[]>(
        Array.isArray,
        ({ input }) => `must be a list, not ${describeValue(input)}`,
      ),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const add = countIssues(addIssue);
        if (max !== undefined && dataset.value.length > max.count) {
          add.issue({
            message: `must have at most ${max.count} ${max.count === 1 ? "entry" : "entries"}, not ${dataset.value.length}`,
          });
        }
        const output: T[] = [];
        for (const [index, input] of dataset.value.entries()) {
          if (add.count >= maxProblems) break;
          const parsed = v.safeParse(item, input);
          if (parsed.success) output.push(parsed.output);
          else forward(parsed.issues, index, add.issue);
        }
        return add.count > 0 ? NEVER : output;
      }),
    ),
    { kind: "list", item, maxItems: max?.count },
  );

/** A Map: the keys are untrusted, and an object has inherited names. */
export const mapOf = <T>(item: v.GenericSchema<unknown, T>, checkKey?: (key: string) => string | undefined) =>
  v.optional(
    describeSchema(
      v.pipe(
        v.custom<Readonly<Record<string, unknown>>>(
          isRecord,
          ({ input }) => `must be an object, not ${describeValue(input)}`,
        ),
        v.rawTransform(({ dataset, addIssue, NEVER }): ReadonlyMap<string, T> => {
          const add = countIssues(addIssue);
          const output = new Map<string, T>();
          for (const key of Object.keys(dataset.value)) {
            if (add.count >= maxProblems) break;
            const wrong = checkKey?.(key);
            if (wrong !== undefined) add.issue({ message: wrong, path: [toItem(key)] });
            const parsed = v.safeParse(item, dataset.value[key]);
            if (parsed.success) output.set(key, parsed.output);
            else forward(parsed.issues, key, add.issue);
          }
          return add.count > 0 ? NEVER : output;
        }),
      ),
      { kind: "map", value: item },
    ),
    {},
  );

const isRecord = (input: unknown): boolean =>
  typeof input === "object" && input !== null && !Array.isArray(input);

const toItem = (key: PathKey): PathItem => ({
  type: "unknown",
  origin: "value",
  input: undefined,
  key,
  value: undefined,
});

function countIssues(addIssue: AddIssue): { readonly count: number; readonly issue: AddIssue } {
  let count = 0;
  return {
    get count() {
      return count;
    },
    issue(issue) {
      count += 1;
      addIssue(issue);
    },
  };
}

function forward(issues: readonly v.BaseIssue<unknown>[], key: PathKey, add: AddIssue): void {
  for (const { message, path } of issues) add({ message, path: [toItem(key), ...(path ?? [])] });
}
