// SPDX-License-Identifier: Apache-2.0
// Imported `with { type: "macro" }`: this runs in the bundler, and only what it returns is in the program.

import { flattenMachine } from "../table/flatten-machine.ts";
import type { MachineTable } from "../table/table.ts";
import { hookMachine } from "./hook-machine.ts";

export const makeHookTable = (): MachineTable => flattenMachine(hookMachine);
