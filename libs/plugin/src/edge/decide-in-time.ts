// SPDX-License-Identifier: Apache-2.0

import { performance } from "node:perf_hooks";
import type { NriAdjustment, NriCall, TtrpcStatus } from "@rthooks/nri";
import { describeError, type Result } from "@rthooks/result";
import { toCutoffMs } from "../core/runtime-mode.ts";
import type { ContainerStart } from "./container-start.ts";
import { applyFailCheck, type Decider } from "./decide-container.ts";

export type Answer = Result<NriAdjustment | undefined, TtrpcStatus>;

/**
 * Bounds a decision, which has limits of its own, also against a file system that hangs and against bugs: without an
 * answer every container would start, and with an error answer none would.
 */
export async function decideInTime(
  decider: Decider,
  start: ContainerStart,
  call: NriCall,
  decide: () => Promise<Answer>,
): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve(applyFailCheck(decider, start, "late", "no decision before the runtime's deadline")),
      toCutoffMs(call, performance.now()),
    );
  });
  try {
    return await Promise.race([decide(), tooLate]);
  } catch (error) {
    return applyFailCheck(decider, start, "internal", `internal error: ${describeError(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
