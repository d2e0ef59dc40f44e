// SPDX-License-Identifier: Apache-2.0
// The hook machine as a program runs it; the XState machine itself is "@rthooks/machines/hook/machine".

export {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookFailure,
  type HookInput,
  toHookContext,
} from "./hook-logic.ts";
export { isHookEffect, runHook } from "./hook-run.ts";
