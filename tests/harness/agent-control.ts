// SPDX-License-Identifier: Apache-2.0
import { type Agent, startAgent } from "./agent.ts";
import type { Workspace } from "./workspace.ts";

/** The real agent on a socket that stays the same, so that a client that knows the socket reaches it after each restart. */
export interface AgentControl {
  readonly socketPath: string;
  /** The running agent. Throws after `end`. */
  agent(): Agent;
  start(): Promise<Agent>;
  end(): Promise<void>;
  /** The agent accepts connections and does not answer while `work` runs. */
  whileFrozen<T>(work: () => Promise<T>): Promise<T>;
}

export function createAgentControl(workspace: Workspace, flags: readonly string[] = []): AgentControl {
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
