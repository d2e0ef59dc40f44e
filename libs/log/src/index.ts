// SPDX-License-Identifier: Apache-2.0
// The log of the programs that run for long: one line, one decision.

export {
  type LogFields,
  type LogFormat,
  type Logger,
  type LogLevel,
  logFormats,
  logLevels,
} from "./core/logger.ts";
export { nowNanos } from "./edge/clock.ts";
export { createLogWriter, type LogWriter } from "./edge/log-writer.ts";
