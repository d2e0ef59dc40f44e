// SPDX-License-Identifier: Apache-2.0
// The health of the agent: its problems, and one line about them for GetHealth and `tetragon status`.

import type { HealthPart } from "../../base/core/health-part.ts";

export interface HealthProblem {
  readonly part: HealthPart;
  /** One line for users. */
  readonly text: string;
  /** While it lasts, containers are refused, or start without policies that the configuration asks for. */
  readonly isBlocking: boolean;
}

const RUNNING = "running";

export const renderHealth = (problems: readonly string[]): string =>
  problems.length === 0 ? RUNNING : `${RUNNING}, but ${problems.join("; ")}`;

export const isHealthy = (health: string): boolean => health === RUNNING;

/** Whether the agent can be called at the addresses that hooks use. `slow`: it did not answer in time. */
export type Reach = "answers" | "slow" | "unreachable";

/** Services of the health service; "" stands for the agent as a whole. */
export type ServiceName = "liveness" | "readiness" | "";

/**
 * `liveness` fails only where a restart helps: no call reaches the agent. A slow agent is busy, and a source that is lost
 * comes back by itself. `readiness` and "" fail while containers are refused, or start without their policies.
 */
export function decideServing(
  reach: Reach,
  problems: readonly Pick<HealthProblem, "isBlocking">[],
): ReadonlyMap<ServiceName, boolean> {
  const isReady = reach === "answers" && problems.every(({ isBlocking }) => !isBlocking);
  return new Map([
    ["liveness", reach !== "unreachable"],
    ["readiness", isReady],
    ["", isReady],
  ]);
}
