// SPDX-License-Identifier: Apache-2.0
// One hold of a container as the program that held it tells it in its log: also one that never reached the agent.

import type { HoldPhase, RuntimeHold } from "./explanation.ts";

/** Names are empty where the program does not know them. */
export interface HookInvocation {
  readonly containerId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly image: string;
  readonly cgroup: string;
  /** "hook": the OCI hook; "nri": the NRI plugin in direct mode. */
  readonly by: RuntimeHold["by"];
  /** Unix time in milliseconds, with fractions. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Its own phases, in the order of their start. */
  readonly phases: readonly HoldPhase[];
  /**
   * `released`: the agent registered the container. `allowed`: the fail check let it start. `denied`: it did not start.
   * `skipped`: calls to the agent are switched off.
   */
  readonly outcome: "released" | "allowed" | "denied" | "skipped";
  /** Why the agent did not register the container, for `describeFailure`; undefined if it did. */
  readonly failure: { readonly kind: string; readonly message: string } | undefined;
}
