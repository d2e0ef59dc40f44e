// SPDX-License-Identifier: Apache-2.0
// The agent's log: one decision, one line.

import { escapeUnprintable } from "./escape-unprintable.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFormat = "text" | "json";

export const logFormats: readonly LogFormat[] = ["text", "json"];
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

type LogValue = LogFields[string];

/** Text that needs no quotes in the key=value form, as Go's slog has it. Plain ASCII only: it is the hot path. */
const barePattern = /^[!#-<>-[\]-~]+$/;
/** Text that JSON writes as it is. */
const plainPattern = /^[ !#-[\]-~]*$/;

/** Fields without a value are left out. `time` is RFC 3339. */
export function renderLogLine(
  format: LogFormat,
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const isJson = format === "json";
  let line = isJson
    ? `{"time":"${time}","level":"${level}","msg":${renderJsonValue(message)}`
    : `time=${time} level=${level} msg=${renderTextValue(message)}`;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    line += isJson ? `,"${key}":${renderJsonValue(value)}` : ` ${key}=${renderTextValue(value)}`;
  }
  return isJson ? `${line}}\n` : `${line}\n`;
}

/** A 64-bit id is text in JSON, whose numbers do not hold it. */
function renderJsonValue(value: LogValue): string {
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  const text = `${value}`;
  return plainPattern.test(text) ? `"${text}"` : escapeUnprintable(JSON.stringify(text));
}

function renderTextValue(value: LogValue): string {
  const text = `${value}`;
  return barePattern.test(text) ? text : escapeUnprintable(JSON.stringify(text));
}
