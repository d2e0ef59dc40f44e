// SPDX-License-Identifier: Apache-2.0

export { type ErrnoName, renderSysError, type SysError } from "./errno.ts";
export { openSystem } from "./open-system.ts";
export type { LogFile, MaybePromise, ReadError, Stream, System, WallTime } from "./system.ts";
