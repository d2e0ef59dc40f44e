// SPDX-License-Identifier: Apache-2.0
// Log lines in JSON, of all programs. A hook invocation writes one or two, so plain text needs no regular expression:
// compiling one would delay each hook.

import { escapeUnprintable } from "./escape-unprintable.ts";

/** Values by key. Undefined ones are left out of the line. */
export type LogFields = Readonly<
  Record<
    string,
    | string
    | number
    | bigint
    | boolean
    | readonly string[]
    | Readonly<Record<string, string>>
    | readonly Readonly<Record<string, string | number>>[]
    | undefined
  >
>;

/**
 * Renders one line with its newline. `time` is RFC 3339. `level` is written unchanged: slog and logrus spell levels
 * differently. No field may be called time, level or msg.
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
