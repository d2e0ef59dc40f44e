// SPDX-License-Identifier: Apache-2.0

import { performance } from "node:perf_hooks";
import type { NriCall, TtrpcStatus } from "@rthooks/nri";
import type { ContainerAdjustment } from "@rthooks/proto/nri";
import { describeError, type Result } from "@rthooks/result";
import { toLastMomentMs } from "../core/runtime-mode.ts";
import type { ContainerStart } from "./container-start.ts";
import { type Decider, settleWithoutAgent } from "./decide-container.ts";

export type Answer = Result<Partial<ContainerAdjustment> | undefined, TtrpcStatus>;

/**
 * A decision has limits of its own. This one is for what they do not cover, such as a file system that hangs or a bug: an
 * answer that is missing would let every container start, and one that is an error would let none.
 */
export async function holdInTime(
  decider: Decider,
  start: ContainerStart,
  call: NriCall,
  decide: () => Promise<Answer>,
): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve(settleWithoutAgent(decider, start, "late", "no decision before the runtime's deadline")),
      toLastMomentMs(call, performance.now()),
    );
  });
  try {
    return await Promise.race([decide(), tooLate]);
  } catch (error) {
    return settleWithoutAgent(decider, start, "internal", `internal error: ${describeError(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
