// SPDX-License-Identifier: Apache-2.0
// The hook machine as a program runs it; the XState machine itself is "@rthooks/machines/hook/machine".

export type { HookContext, HookEffect, HookEvent, HookFailure, HookInput } from "./hook-logic.ts";
export { isHookEffect, runHook } from "./hook-run.ts";
