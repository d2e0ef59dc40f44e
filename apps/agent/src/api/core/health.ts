// SPDX-License-Identifier: Apache-2.0
// One line on how the agent is, as GetHealth tells it and people read it.

const RUNNING = "running";

export const renderHealth = (problems: readonly string[]): string =>
  problems.length === 0 ? RUNNING : `${RUNNING}, but ${problems.join("; ")}`;

export const isHealthy = (health: string): boolean => health === RUNNING;
