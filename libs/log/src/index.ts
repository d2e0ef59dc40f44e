// SPDX-License-Identifier: Apache-2.0
// The log of the long-running programs: agent, NRI plugin and set-up tool.

export type { LogFields } from "./core/json-line.ts";
export { type LogLevel, logLevels, toLogLevel } from "./core/log-level.ts";
export { type LogFormat, type Logger, logFormats, toLogFormat } from "./core/logger.ts";
export { nowNanos } from "./edge/clock.ts";
export { createLogWriter, type LogWriter } from "./edge/log-writer.ts";
