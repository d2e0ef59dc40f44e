// SPDX-License-Identifier: Apache-2.0
// A log line as JSON, for every program. The hook renders one or two in its life, so nothing here compiles a regular
// expression for plain text.

import { escapeUnprintable } from "./escape-unprintable.ts";

/** By key; a field without a value is left out of the line. */
export type LogFields = Readonly<
  Record<
    string,
    string | number | bigint | boolean | readonly string[] | Readonly<Record<string, string>> | undefined
  >
>;

/**
 * One line with its newline. `time` is RFC 3339; `level` is written as it is, since Go's slog and logrus differ in it.
 * Not for fields called time, level or msg.
 */
export function renderJsonLine(time: string, level: string, msg: string, fields: LogFields): string {
  const record: Record<string, unknown> = { time, level, msg };
  for (const key in fields) {
    const value = fields[key];
    // JSON's numbers do not hold a 64-bit id.
    record[key] = typeof value === "bigint" ? String(value) : value;
  }
  const json = JSON.stringify(record);
  return `${isPrintableAscii(json) ? json : escapeUnprintable(json)}\n`;
}

/** JSON escapes control characters below U+0020. */
const isPrintableAscii = (json: string): boolean =>
  new TextEncoder().encode(json).length === json.length && !json.includes("\u007f");
