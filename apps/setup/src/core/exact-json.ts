// SPDX-License-Identifier: Apache-2.0
// JSON whose numbers come out as they went in: an OCI spec has limits of up to 2^64 - 1, which no double holds.

export type JsonObject = Readonly<Record<string, unknown>>;

/** Numbers in it are opaque, for {@link renderExactJson} alone. Undefined for what is no JSON object. */
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

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
