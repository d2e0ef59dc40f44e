// SPDX-License-Identifier: Apache-2.0
// Changes of a TOML document that leave everything else as it is, to the byte. Every result has been parsed again and
// found to differ from the document in nothing but the changes, with all of its comments; otherwise there is none.

import { err, ok, type Result } from "@rthooks/result";
import type { AST } from "toml-eslint-parser";
import { findSplices } from "./find-splices.ts";
import { parseToml, type TomlTable } from "./parse.ts";
import type { TomlEdit } from "./toml-edit.ts";
import { type TomlError, toTomlError } from "./toml-error.ts";
import { applyEdit, isSameValue } from "./values.ts";

const BOM = "\ufeff";

/** The same text where there is nothing to change. */
export function editToml(source: string, edits: readonly TomlEdit[]): Result<string, TomlError> {
  const bom = source.startsWith(BOM) ? BOM : "";
  const original = source.slice(bom.length);
  let text = original;
  let parsed = parseToml(text);
  if (!parsed.ok) return parsed;
  const before = parsed.value;
  let expected: TomlTable = before.values;
  for (const edit of edits) {
    const splices = findSplices(text, parsed.value, edit);
    if (!splices.ok) return splices;
    expected = applyEdit(expected, edit);
    for (const { start, end, text: added } of splices.value.toSorted(
      (one, other) => other.start - one.start,
    )) {
      text = text.slice(0, start) + added + text.slice(end);
    }
    if (splices.value.length === 0) continue;
    parsed = parseToml(text);
    if (!parsed.ok) return err(unable(original, parsed.error.reason));
  }
  if (!isSameValue(parsed.value.values, expected))
    return err(unable(original, "it would change something else too"));
  if (!hasSameComments(before.program, parsed.value.program))
    return err(unable(original, "a comment would be lost"));
  return ok(bom + text);
}

const unable = (text: string, why: string): TomlError =>
  toTomlError(text, 0, `this document cannot be changed safely (${why}); change it by hand`);

function hasSameComments(one: AST.TOMLProgram, other: AST.TOMLProgram): boolean {
  return (
    one.comments.length === other.comments.length &&
    one.comments.every(({ value }, at) => value.trimEnd() === other.comments[at]?.value.trimEnd())
  );
}
