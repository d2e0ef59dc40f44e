// SPDX-License-Identifier: Apache-2.0
// Filters of a policy on texts: arguments, and paths of programs.

import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { TextFacet, TextFilter } from "./kernel-rule.ts";
import type { MissingCapability } from "./policy-rule.ts";

/** Of a text that a rule can compare (bpf/rules.h): an exact one includes the zero at its end. */
const maxBytes = 255;

const matches: ReadonlyMap<string, Pick<TextFilter, "match" | "isNegated">> = new Map([
  ["Equal", { match: "exact", isNegated: false }],
  ["NotEqual", { match: "exact", isNegated: true }],
  ["In", { match: "exact", isNegated: false }],
  ["NotIn", { match: "exact", isNegated: true }],
  ["Prefix", { match: "prefix", isNegated: false }],
  ["NotPrefix", { match: "prefix", isNegated: true }],
  ["Postfix", { match: "postfix", isNegated: false }],
  ["NotPostfix", { match: "postfix", isNegated: true }],
]);

export interface FoundText {
  readonly filter: TextFilter;
  /** Sentences. */
  readonly notes: readonly string[];
}

/** Undefined: the operator is not one for texts. A value that no path of the kernel has is left out while there are others. */
export function toTextFilter(
  { operator, values }: { readonly operator: string; readonly values: readonly string[] },
  facet: TextFacet,
  isPath: boolean,
): Result<FoundText, MissingCapability> | undefined {
  const found = matches.get(operator);
  if (found === undefined) return undefined;
  if (values.length === 0) return err({ field: "values", needs: "a value" });
  const texts = new Set<string>();
  const impossible: { readonly at: number; readonly written: string; readonly wanted: string }[] = [];
  for (const [at, written] of values.entries()) {
    // The zero that ends a text in C.
    const text = written.replace(/\0$/, "");
    const wrong = findWrongText(text, found.match);
    if (wrong !== undefined)
      return err({ field: `values[${at}]`, needs: `${wrong}, not ${describeValue(written)}` });
    const wrongPath = isPath ? findWrongPath(text, found.match) : undefined;
    if (wrongPath === undefined) texts.add(text);
    else impossible.push({ at, written: describeValue(written), wanted: wrongPath });
  }
  const [first] = impossible;
  if (texts.size === 0 && first !== undefined)
    return err({ field: `values[${first.at}]`, needs: `${first.wanted}, not ${first.written}` });
  return ok({
    filter: { facet, ...found, values: [...texts] },
    notes: impossible.map(({ written, wanted }) => `${written} is not ${wanted}: it never matches`),
  });
}

function findWrongText(text: string, match: TextFilter["match"]): string | undefined {
  const max = match === "exact" ? maxBytes - 1 : maxBytes;
  const bytes = new TextEncoder().encode(text).length;
  return bytes === 0 || bytes > max || text.includes("\0")
    ? `a text of 1 to ${max} bytes without a zero`
    : undefined;
}

/** The kernel's paths are absolute and have no empty part, "." or "..". The last part of a prefix is a beginning. */
function findWrongPath(path: string, match: TextFilter["match"]): string | undefined {
  const parts = path.split("/");
  const whole = parts.slice(1, match === "prefix" ? -1 : undefined);
  if (match !== "postfix" && parts[0] !== "") return "an absolute path";
  const isPlain = path === "/" || whole.every((part) => part !== "" && part !== "." && part !== "..");
  return isPlain ? undefined : 'a path without empty parts, "." and ".."';
}
