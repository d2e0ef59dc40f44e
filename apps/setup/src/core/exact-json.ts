// SPDX-License-Identifier: Apache-2.0
// JSON that keeps every digit of its numbers: an OCI spec has limits of up to 2^64 - 1, which a double cannot
// represent.

import { isJsonObject, type JsonObject } from "@rthooks/result";

/** Undefined if the text is not a JSON object. Numbers are opaque; only {@link renderExactJson} reads them. */
export function parseExactJson(text: string): JsonObject | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text, (_, value, { source }) =>
      typeof value === "number" && source !== undefined ? JSON.rawJSON(source) : value,
    );
  } catch {
    return undefined;
  }
  return isJsonObject(json) ? json : undefined;
}

export const renderExactJson = (json: JsonObject): string => `${JSON.stringify(json, undefined, 2)}\n`;
