// SPDX-License-Identifier: Apache-2.0
// Edits a TOML document and keeps all other bytes. Every result is parsed again and compared: it must differ from the document
// only in the edits and keep all comments; otherwise the edit is an error.

import { err, ok, type Result } from "@rthooks/result";
import type { AST } from "toml-eslint-parser";
import { findSplices, type Splice } from "./find-splices.ts";
import { type Parsed, parseToml, type TomlTable } from "./parse.ts";
import type { TomlEdit } from "./toml-edit.ts";
import { type TomlError, toTomlError } from "./toml-error.ts";
import { applyEdit, isSameValue } from "./values.ts";

const BOM = "\ufeff";

/** Returns the same text if the edits change nothing. */
export function editToml(source: string, edits: readonly TomlEdit[]): Result<string, TomlError> {
  const bom = source.startsWith(BOM) ? BOM : "";
  const text = source.slice(bom.length);
  try {
    const edited = editText(text, edits);
    return edited.ok ? ok(bom + edited.value) : edited;
  } catch (error) {
    // A key of a hundred thousand parts exhausts the stack, here or in a parser.
    if (error instanceof RangeError) return err(toTomlError(text, 0, "it is nested too deeply"));
    throw error;
  }
}

function editText(text: string, edits: readonly TomlEdit[]): Result<string, TomlError> {
  const before = parseToml(text);
  if (!before.ok) return before;
  const expected = edits.reduce(applyEdit, before.value.values);
  // All edits at once if they do not overlap, since parsing a large document is slow.
  const together = editTogether(text, before.value, edits);
  if (together !== undefined && verify(text, before.value, together, expected).ok) return ok(together);
  const edited = editOneByOne(text, before.value, edits);
  return edited.ok ? verify(text, before.value, edited.value, expected) : edited;
}

function editTogether(text: string, parsed: Parsed, edits: readonly TomlEdit[]): string | undefined {
  const splices: Splice[] = [];
  for (const edit of edits) {
    const found = findSplices(text, parsed, edit);
    if (!found.ok) return undefined;
    splices.push(...found.value);
  }
  const starts = new Set(splices.map(({ start }) => start));
  return starts.size === splices.length ? applySplices(text, splices) : undefined;
}

function editOneByOne(text: string, parsed: Parsed, edits: readonly TomlEdit[]): Result<string, TomlError> {
  let current = text;
  let now = parsed;
  for (const edit of edits) {
    // A list may contain the dropped element several times.
    for (;;) {
      const splices = findSplices(current, now, edit);
      if (!splices.ok) return splices;
      if (splices.value.length === 0) break;
      current = applySplices(current, splices.value);
      const next = parseToml(current);
      if (!next.ok) return err(unable(text, next.error.reason));
      now = next.value;
      if (edit.kind !== "drop") break;
    }
  }
  return ok(current);
}

/** Applies them from the end, so that earlier offsets stay valid. */
function applySplices(text: string, splices: readonly Splice[]): string {
  let changed = text;
  for (const { start, end, text: added } of splices.toSorted((one, other) => other.start - one.start)) {
    changed = changed.slice(0, start) + added + changed.slice(end);
  }
  return changed;
}

/** Checks the values and comments of the edited document. */
function verify(
  text: string,
  before: Parsed,
  edited: string,
  expected: TomlTable,
): Result<string, TomlError> {
  const after = parseToml(edited);
  if (!after.ok) return err(unable(text, after.error.reason));
  if (!isSameValue(after.value.values, expected)) return err(unable(text, "other values would change"));
  return hasSameComments(before.program, after.value.program)
    ? ok(edited)
    : err(unable(text, "a comment would be lost"));
}

const unable = (text: string, why: string): TomlError =>
  toTomlError(text, 0, `this document cannot be changed safely (${why}); change it by hand`);

function hasSameComments(one: AST.TOMLProgram, other: AST.TOMLProgram): boolean {
  return (
    one.comments.length === other.comments.length &&
    one.comments.every(({ value }, at) => value.trimEnd() === other.comments[at]?.value.trimEnd())
  );
}
