// SPDX-License-Identifier: Apache-2.0

import type { Command } from "../core/command.ts";
import { followCommand } from "./follow-command.ts";
import { installCommand } from "./install/install-command.ts";
import { printConfigCommand } from "./install/print-config-command.ts";
import { uninstallCommand } from "./install/uninstall-command.ts";
import { detectCommand, doctorCommand } from "./node/node-commands.ts";
import { addOciHook, removeOciHook } from "./patch/base-spec-commands.ts";
import { enableCrioAnnotations } from "./patch/crio-commands.ts";
import { disableNri, enableNri } from "./patch/nri-commands.ts";
import { statusCommand } from "./status/status-command.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  installCommand,
  uninstallCommand,
  statusCommand,
  printConfigCommand,
  enableNri,
  disableNri,
  addOciHook,
  removeOciHook,
  enableCrioAnnotations,
  detectCommand,
  doctorCommand,
  followCommand,
];
