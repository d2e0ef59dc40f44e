// SPDX-License-Identifier: Apache-2.0

import type { AnyStateMachine } from "xstate";

/** Any machine of XState. */
export type Machine = AnyStateMachine;

/**
 * The machine's configuration as JSON, which `createMachine` of XState and the editors of Stately accept. Actions, guards
 * and delays are names; the context is left out, since it is made by a function.
 */
export const renderMachineJson = (machine: Machine): string =>
  `${JSON.stringify(machine.config, undefined, 2)}\n`;
