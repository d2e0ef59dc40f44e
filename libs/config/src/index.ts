// SPDX-License-Identifier: Apache-2.0
// The flags of a long-running program: its command line, environment variables, and a directory with a file for each flag.

export type { ForeignFlag } from "./core/foreign-flag.ts";
export { type FollowedConfig, followConfig } from "./edge/follow-config.ts";
export { type LoadedFlags, type LoadFlagsOptions, loadFlags } from "./edge/load-flags.ts";
export { logFlagNotes } from "./edge/log-flag-notes.ts";
