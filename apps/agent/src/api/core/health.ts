// SPDX-License-Identifier: Apache-2.0
// One line on the health of the agent, for GetHealth and `tetragon status`.

const RUNNING = "running";

export const renderHealth = (problems: readonly string[]): string =>
  problems.length === 0 ? RUNNING : `${RUNNING}, but ${problems.join("; ")}`;

export const isHealthy = (health: string): boolean => health === RUNNING;
