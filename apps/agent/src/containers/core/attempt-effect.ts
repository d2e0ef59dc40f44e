// SPDX-License-Identifier: Apache-2.0

import { describeError, err, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";

/** What the effect throws is a bug: it becomes a refusal, since an actor that ended would not answer its callers. */
export function attemptEffect<T>(effect: () => Result<T, Refusal>): Result<T, Refusal> {
  try {
    return effect();
  } catch (error) {
    return err({ kind: "internal", message: describeError(error) });
  }
}
