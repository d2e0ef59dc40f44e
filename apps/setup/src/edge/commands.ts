// SPDX-License-Identifier: Apache-2.0

import type { Command } from "../core/command.ts";

/** In the order of the help. */
export const commands: readonly Command[] = [];
