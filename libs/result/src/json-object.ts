// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "./result.ts";

/** Parsed JSON whose values are not checked yet. Its keys come from outside: read them with Object.hasOwn or as a list. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The error goes on from a word such as "is". */
export function parseJsonObject(text: string): Result<JsonObject, "not JSON" | "not a JSON object"> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err("not JSON");
  }
  return isJsonObject(value) ? ok(value) : err("not a JSON object");
}
