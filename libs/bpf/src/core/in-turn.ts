// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";

/** Takes steps one after the other, up to the first failure. */
export function inTurn<E>(...steps: readonly (() => Result<void, E>)[]): Result<void, E> {
  for (const step of steps) {
    const done = step();
    if (!done.ok) return done;
  }
  return ok(undefined);
}
