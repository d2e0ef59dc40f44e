// SPDX-License-Identifier: Apache-2.0
// The paths that filters of arguments are about.

import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import type { KeyedPrefix, PrefixSet } from "./prefix-set.ts";
import type { RulePath } from "./subject-rule.ts";

/** Of a path that a rule can compare, with the zero at the end of an exact one (bpf/rules.h). */
const maxPathBytes = 256;

const matches: ReadonlyMap<ValueFilter["operator"], { match: RulePath["match"]; isNegated: boolean }> =
  new Map([
    ["Equal", { match: "exact", isNegated: false }],
    ["NotEqual", { match: "exact", isNegated: true }],
    ["Prefix", { match: "prefix", isNegated: false }],
    ["NotPrefix", { match: "prefix", isNegated: true }],
  ]);

export function toPathSet({ operator, values }: ValueFilter): Result<PrefixSet<RulePath>, MissingCapability> {
  const found = matches.get(operator);
  if (found === undefined) return err({ field: "operator", needs: `a comparison of paths by ${operator}` });
  const prefixes: KeyedPrefix<RulePath>[] = [];
  for (const [at, path] of values.entries()) {
    const wrong = findWrong(path, found.match);
    if (wrong !== undefined)
      return err({ field: `values[${at}]`, needs: `${wrong}, not ${describeValue(path)}` });
    prefixes.push({
      // Each path starts with "/". None has a zero in it: what a path and a zero cover is the path alone.
      key: found.match === "exact" ? `${path.slice(1)}\0` : path.slice(1),
      written: { path, match: found.match },
    });
  }
  return ok({ prefixes, isNegated: found.isNegated });
}

/** The kernel's paths are absolute and have no empty part, "." or "..". The last part of a prefix is a beginning. */
function findWrong(path: string, match: RulePath["match"]): string | undefined {
  if (!path.startsWith("/")) return "an absolute path";
  const bytes = new TextEncoder().encode(path).length + (match === "exact" ? 1 : 0);
  if (bytes > maxPathBytes || path.includes("\0"))
    return `a path of less than ${maxPathBytes} bytes without a zero`;
  const parts = path.split("/").slice(1, match === "exact" ? undefined : -1);
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  return isPlain ? undefined : 'a path without empty parts, "." and ".."';
}
