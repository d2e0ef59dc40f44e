// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";

export type JsonRecord = Readonly<Record<string, unknown>>;

/** One JSON object; anything else is an error that shows the text. */
export function parseRecord(text: string): JsonRecord {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`not a JSON object: ${text.slice(0, 200)}`);
  }
  return { ...value };
}

/** The JSON objects of a log file, one a line; none where there is no file. */
export function readLog(path: string): readonly JsonRecord[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter(Boolean).map(parseRecord);
}
