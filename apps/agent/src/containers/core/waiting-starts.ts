// SPDX-License-Identifier: Apache-2.0
// The hook calls that have no answer yet: their runtimes wait, and the containers have not started.

import { type ContainerReport, runsAlready } from "@rthooks/machines/pod";

export interface WaitingStarts {
  /** Returns the function that ends the wait. */
  begin(report: ContainerReport): () => void;
  /** In the order of their calls. */
  list(): readonly ContainerReport[];
}

export function createWaitingStarts(): WaitingStarts {
  const waiting = new Set<ContainerReport>();
  return {
    begin(report) {
      // The runtime does not wait for the report of a container that runs.
      if (runsAlready(report)) return () => {};
      waiting.add(report);
      return () => void waiting.delete(report);
    },
    list: () => [...waiting],
  };
}
