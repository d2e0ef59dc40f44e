// SPDX-License-Identifier: Apache-2.0
import { type Agent, startAgent } from "./agent.ts";
import type { Workspace } from "./workspace.ts";

/** The real agent on a socket that stays the same, so that whoever was told of it once finds each life of it. */
export interface AgentSeat {
  readonly socketPath: string;
  /** The one that runs; there is none after `end`. */
  agent(): Agent;
  start(): Promise<Agent>;
  end(): Promise<void>;
  /** It takes connections and says nothing while this runs. */
  whileFrozen<T>(work: () => Promise<T>): Promise<T>;
}

export function createAgentSeat(workspace: Workspace, flags: readonly string[] = []): AgentSeat {
  const socketPath = workspace.path("agent.sock");
  let current: Agent | undefined;
  const agent = () => {
    if (current === undefined) throw new Error("no agent runs");
    return current;
  };
  return {
    socketPath,
    agent,
    start: async () => {
      current = await startAgent(workspace, { socketPath, flags });
      return current;
    },
    end: async () => {
      await agent().stop();
      current = undefined;
    },
    whileFrozen: async (work) => {
      const { signal } = agent().process;
      signal("SIGSTOP");
      try {
        return await work();
      } finally {
        signal("SIGCONT");
      }
    },
  };
}
