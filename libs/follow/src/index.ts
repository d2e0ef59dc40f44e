// SPDX-License-Identifier: Apache-2.0
// Follows a file of lines that grows and is rotated.

export { type FollowedLog, followLog } from "./edge/followed-log.ts";
