// SPDX-License-Identifier: Apache-2.0
// The log of the agent, the plugin and the set-up tool.

import { escapeUnprintable } from "./escape-unprintable.ts";
import { type LogFields, renderJsonLine } from "./json-line.ts";
import type { LogLevel } from "./log-level.ts";

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFormat = "text" | "json";

export const logFormats: readonly LogFormat[] = ["text", "json"];

/** Text for a value that is not a format. */
export const toLogFormat = (text: string): LogFormat =>
  logFormats.find((format) => format === text) ?? "text";

/** Text that needs no quotes in the key=value form, as Go's slog has it. */
const barePattern = /^[!#-<>-[\]-~]+$/;

/** One line with its newline. Fields without a value are left out. `time` is RFC 3339. */
export function renderLogLine(
  format: LogFormat,
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  if (format === "json") return renderJsonLine(time, level, message, fields);
  let line = `time=${time} level=${level} msg=${renderTextValue(message)}`;
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${renderTextValue(value)}`;
  }
  return `${line}\n`;
}

function renderTextValue(value: NonNullable<LogFields[string]>): string {
  const text = typeof value === "object" ? JSON.stringify(value) : `${value}`;
  return barePattern.test(text) ? text : escapeUnprintable(JSON.stringify(text));
}
