// SPDX-License-Identifier: Apache-2.0
// Imported `with { type: "macro" }`: this runs in the bundler, and only what it returns is in the program.

import type { MachineTable } from "../table/machine-table.ts";
import { readMachineTable } from "../table/read-machine-table.ts";
import { hookMachine } from "./hook-machine.ts";

export const makeHookTable = (): MachineTable => readMachineTable(hookMachine);
