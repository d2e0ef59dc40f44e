// SPDX-License-Identifier: Apache-2.0

export { COMPLETE_COMMAND } from "./complete-command.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { type Flag, type FlagTable, type FlagValues, flag, type StringFlag } from "./flag.ts";
export {
  type ArgumentError,
  findNearFlag,
  type ParsedArguments,
  parseArguments,
  parseFlagValue,
  resolveFlags,
} from "./parse-arguments.ts";
