// SPDX-License-Identifier: Apache-2.0
// The hook machine as a program runs it; the XState machine itself is "@rthooks/machines/hook/machine".

export { createHookInvocation, isHookEffect } from "./hook-invocation.ts";
export {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookFailure,
  type HookInput,
  toHookContext,
} from "./hook-logic.ts";
