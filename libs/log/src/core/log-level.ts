// SPDX-License-Identifier: Apache-2.0

/** As --log-level takes it. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** From the lowest to the highest. */
export const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** `threshold`: the lowest level that is logged; info where it is not a level. */
export function isLogged(level: LogLevel, threshold: string): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(toLogLevel(threshold));
}

export const toLogLevel = (text: string): LogLevel => logLevels.find((level) => level === text) ?? "info";
