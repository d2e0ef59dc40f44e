// SPDX-License-Identifier: Apache-2.0
import type { Container } from "@rthooks/proto";
import { probeSocket } from "@rthooks/sys/unix-socket";
import { listContainers } from "./agent-client.ts";
import { type Finished, minimalEnv, type RunningProcess, runProcess, startProcess } from "./process.ts";
import { findAgent } from "./programs.ts";
import { waitFor } from "./wait.ts";
import type { Workspace } from "./workspace.ts";

export interface Agent {
  readonly address: string;
  readonly socketPath: string;
  readonly process: RunningProcess;
  containers(): Promise<readonly Container[]>;
  /** Its own `tetragon status`. */
  status(...flags: readonly string[]): Promise<Finished>;
  stop(): Promise<Finished>;
}

export interface AgentOptions {
  readonly socketPath?: string;
  readonly podsFile?: string;
  readonly flags?: readonly string[];
  /** Beside a PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

export const isListening = async (socketPath: string): Promise<boolean> =>
  (await probeSocket(socketPath)) === "listening";

let count = 0;

/** The built agent, listening when this returns. */
export async function startAgent(workspace: Workspace, options: AgentOptions = {}): Promise<Agent> {
  const socketPath = options.socketPath ?? workspace.path(`agent-${++count}.sock`);
  const address = `unix://${socketPath}`;
  const pods = options.podsFile === undefined ? [] : ["--pods-file", options.podsFile];
  const process = startProcess(
    [
      findAgent(),
      "--server-address",
      address,
      "--info-file=",
      "--log-format",
      "json",
      ...pods,
      ...(options.flags ?? []),
    ],
    { env: { ...minimalEnv, ...options.env } },
    workspace,
  );
  await waitFor(`the agent listens on ${socketPath}`, async () => {
    if (process.hasExited()) throw new Error(`the agent ended: ${process.stderr()}${process.stdout()}`);
    return await isListening(socketPath);
  });
  return {
    address,
    socketPath,
    process,
    containers: () => listContainers(address),
    status: (...flags) => runProcess([findAgent(), "status", "--server-address", address, ...flags]),
    stop: () => {
      process.signal("SIGTERM");
      return process.exited;
    },
  };
}
