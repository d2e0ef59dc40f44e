// SPDX-License-Identifier: Apache-2.0

import { runTable, type TableRun } from "../table/run-table.ts";
import {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookInput,
  hookDelays,
  hookGuards,
  hookReducers,
  toHookContext,
} from "./hook-logic.ts";
import { makeHookTable } from "./hook-table.macro.ts" with { type: "macro" };

export type HookRun = TableRun<HookContext, HookEvent>;

const table = makeHookTable();

const logic = { reducers: hookReducers, guards: hookGuards, delays: hookDelays };

/** Starts an invocation of the hook; `start` gets the first effects. */
export function runHook(
  input: HookInput,
  start: (effects: readonly string[]) => void,
  nowMs: number,
): HookRun {
  return runTable<HookContext, HookEvent>(table, logic, toHookContext(input), start, nowMs);
}

export const isHookEffect = (name: string): name is HookEffect => !(name in hookReducers);
