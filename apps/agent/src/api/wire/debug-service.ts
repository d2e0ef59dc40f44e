// SPDX-License-Identifier: Apache-2.0
// GetDebug and SetDebug: `tetra loglevel get|set`.

import type { LogLevel } from "@rthooks/log";
import { ConfigFlag, DebugLevel, FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary, type WireError } from "../../base/wire/service.ts";

export interface LogLevelSwitch {
  level(): LogLevel;
  setLevel(level: LogLevel): void;
}

const toMessage: Readonly<Record<LogLevel, DebugLevel>> = {
  error: DebugLevel.LOG_LEVEL_ERROR,
  warn: DebugLevel.LOG_LEVEL_WARN,
  info: DebugLevel.LOG_LEVEL_INFO,
  debug: DebugLevel.LOG_LEVEL_DEBUG,
};

/** The nearest level that the log here has. */
const fromMessage: ReadonlyMap<number, LogLevel> = new Map([
  [DebugLevel.LOG_LEVEL_PANIC, "error"],
  [DebugLevel.LOG_LEVEL_FATAL, "error"],
  [DebugLevel.LOG_LEVEL_ERROR, "error"],
  [DebugLevel.LOG_LEVEL_WARN, "warn"],
  [DebugLevel.LOG_LEVEL_INFO, "info"],
  [DebugLevel.LOG_LEVEL_DEBUG, "debug"],
  [DebugLevel.LOG_LEVEL_TRACE, "debug"],
]);

export function registerDebugService(
  to: Registrar,
  log: LogLevelSwitch,
  onBug: (error: unknown) => void,
): void {
  const service = FineGuidanceSensorsDefinition;
  const { getDebug, setDebug } = service.methods;
  registerUnary(
    to,
    service,
    getDebug,
    ({ flag }, answer) => {
      if (flag === ConfigFlag.CONFIG_FLAG_LOG_LEVEL) {
        const arg = { $case: "level", level: toMessage[log.level()] } as const; // const: the name of the member
        answer(ok({ flag, arg }));
      } else if (flag === ConfigFlag.CONFIG_FLAG_DUMP_PROCESS_CACHE) {
        const details = "GetDebug: this agent does not show its process cache";
        answer(err({ code: grpcCode.unimplemented, details }));
      } else answer(err(toUnknownFlag(flag)));
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    setDebug,
    ({ flag, arg }, answer) => {
      if (flag !== ConfigFlag.CONFIG_FLAG_LOG_LEVEL) return answer(err(toUnknownFlag(flag)));
      const level = arg === undefined ? undefined : fromMessage.get(arg.level);
      if (level === undefined) {
        return answer(err({ code: grpcCode.invalidArgument, details: "SetDebug: give a log level" }));
      }
      log.setLevel(level);
      // `tetra` prints the level of the answer.
      answer(ok({ flag, arg: { $case: "level", level: toMessage[level] } }));
    },
    onBug,
  );
}

const toUnknownFlag = (flag: number): WireError => ({
  code: grpcCode.invalidArgument,
  details: `the flag ${flag} cannot be used with this call`,
});
