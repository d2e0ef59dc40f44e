// SPDX-License-Identifier: Apache-2.0
// The agent's log: one decision, one line.

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

/** Text that needs no quotes in the key=value form, as Go's slog has it: no space, quote, equals or control. */
const barePattern = /^[^\s"=\\\p{C}]+$/u;

/** Fields without a value are left out. `time` is RFC 3339. */
export function renderLogLine(
  format: LogFormat,
  time: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const all = { time, level, msg: message, ...fields };
  return format === "json" ? renderJson(all) : renderText(all);
}

function renderJson(fields: LogFields): string {
  return `${JSON.stringify(fields, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value))}\n`;
}

function renderText(fields: LogFields): string {
  let line = "";
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    const text = String(value);
    line += `${line === "" ? "" : " "}${key}=${barePattern.test(text) ? text : JSON.stringify(text)}`;
  }
  return `${line}\n`;
}
