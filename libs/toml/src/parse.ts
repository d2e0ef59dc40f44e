// SPDX-License-Identifier: Apache-2.0
// Parses a document twice: into a tree with positions, to find the place of an edit, and into values, to verify the edit. Both
// parsers must accept the document.

import { err, ok, type Result } from "@rthooks/result";
import { parse as parseValues, TomlError as SmolError } from "smol-toml";
import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import { type TomlError, toTomlError } from "./toml-error.ts";

export type TomlTable = { readonly [key: string]: unknown };

export interface Parsed {
  readonly program: AST.TOMLProgram;
  readonly values: TomlTable;
}

/** Far above any configuration; it bounds the time to parse. */
const MAX_LENGTH = 4 * 1024 * 1024;

export function parseToml(text: string): Result<Parsed, TomlError> {
  if (text.length > MAX_LENGTH) {
    return err(
      toTomlError(
        text,
        0,
        `the document has ${text.length} characters, more than the limit of ${MAX_LENGTH}`,
      ),
    );
  }
  const values = parseTomlValues(text);
  if (!values.ok) return values;
  try {
    return ok({ program: parseTOML(text, { tomlVersion: "1.0" }), values: values.value });
  } catch (error) {
    if (error instanceof ParseError) return err(toTomlError(text, error.index, error.message));
    return err(toTomlError(text, 0, describe(error)));
  }
}

export function parseTomlValues(text: string): Result<TomlTable, TomlError> {
  try {
    return ok(parseValues(text, { integersAsBigInt: "asNeeded" }));
  } catch (error) {
    if (!(error instanceof SmolError)) return err(toTomlError(text, 0, describe(error)));
    const [reason = ""] = error.message.replace("Invalid TOML document: ", "").split("\n");
    return err(toTomlError(text, toOffset(text, error.line, error.column), reason));
  }
}

function describe(error: unknown): string {
  // Deep nesting exhausts the stack of a parser.
  return error instanceof RangeError ? "it is nested too deeply" : String(error);
}

function toOffset(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf("\n", start);
    if (next === -1) break;
    start = next + 1;
  }
  return start + column - 1;
}
