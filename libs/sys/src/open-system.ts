// SPDX-License-Identifier: Apache-2.0

import { openFfiSystem } from "./ffi-system.ts";
import type { MaybePromise, System } from "./system.ts";

/** The fast System if FFI is available, else the portable one. */
export function openSystem(): MaybePromise<System> {
  try {
    return openFfiSystem();
  } catch {
    return import("./portable-system.ts").then((module) => module.openPortableSystem());
  }
}
