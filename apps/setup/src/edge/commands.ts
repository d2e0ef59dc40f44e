// SPDX-License-Identifier: Apache-2.0

import type { Command } from "../core/command.ts";
import { installCommand } from "./install/install-command.ts";
import { printConfigCommand } from "./install/print-config-command.ts";
import { uninstallCommand } from "./install/uninstall-command.ts";
import { detectCommand, doctorCommand } from "./node/node-commands.ts";
import { patchCommands } from "./patch/patch-commands.ts";

/** In the order of the help. */
export const commands: readonly Command[] = [
  installCommand,
  uninstallCommand,
  printConfigCommand,
  ...patchCommands,
  detectCommand,
  doctorCommand,
];
