// SPDX-License-Identifier: Apache-2.0

/** The command, not shown in help, that completion scripts ask for names: `PROGRAM __complete KIND PREFIX`. */
export const COMPLETE_COMMAND = "__complete";
