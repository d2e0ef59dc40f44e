// SPDX-License-Identifier: Apache-2.0

import type { InspectOptions } from "../inspection/inspection.ts";
import { createInvocation, type Invocation } from "../runners/invocation.ts";
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

const table = makeHookTable();

const logic = { reducers: hookReducers, guards: hookGuards, delays: hookDelays };

export const createHookInvocation = (
  input: HookInput,
  options?: InspectOptions,
): Invocation<HookContext, HookEvent> => createInvocation(table, logic, toHookContext(input), options);

export const isHookEffect = (name: string): name is HookEffect => !(name in hookReducers);
