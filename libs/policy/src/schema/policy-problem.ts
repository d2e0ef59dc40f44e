// SPDX-License-Identifier: Apache-2.0
// Problems of a policy, with their paths.

import type * as v from "valibot";

export interface PolicyProblem {
  /** "spec.kprobes[0].selectors[1].matchArgs[0].operator"; "." is the document itself. */
  readonly path: string;
  readonly message: string;
}

/** Keys of objects are strings, indexes of lists are numbers. */
export type PathKey = string | number;

/** A hostile document could have any number of problems. */
export const maxProblems = 20;

const plainKey = /^[A-Za-z_][\w-]{0,62}$/;
/** The longest valid key is that of a label: 253 + 1 + 63. */
const maxKeyLength = 320;

/** One line. */
export const renderProblem = ({ path, message }: PolicyProblem): string => `${path}: ${message}`;

export const toProblems = (issues: readonly v.BaseIssue<unknown>[]): readonly PolicyProblem[] =>
  issues.slice(0, maxProblems).map((issue) => ({
    path: renderPath((issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)))),
    message: issue.message,
  }));

/** A key with other characters than a plain name is quoted: `metadata["a.b"]`. */
export function renderPath(keys: readonly PathKey[]): string {
  let path = "";
  for (const key of keys) {
    if (typeof key === "number") path += `[${key}]`;
    else if (!plainKey.test(key)) path += `[${JSON.stringify(key.slice(0, maxKeyLength))}]`;
    else path += path === "" ? key : `.${key}`;
  }
  return path === "" ? "." : path;
}
