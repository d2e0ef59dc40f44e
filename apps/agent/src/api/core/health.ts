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
