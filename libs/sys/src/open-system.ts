// SPDX-License-Identifier: Apache-2.0

import { openFfiSystem } from "./ffi-system.ts";
import type { MaybePromise, System } from "./system.ts";

/** The quick System where the process may make foreign calls, the portable one elsewhere. */
export function openSystem(): MaybePromise<System> {
  try {
    return openFfiSystem();
  } catch {
    return import("./portable-system.ts").then((module) => module.openPortableSystem());
  }
}
