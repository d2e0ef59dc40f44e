// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { isListening } from "../../../tests/harness/agent.ts";
import { findProgram } from "../workspace.ts";

export interface AgentProcess {
  readonly pid: number;
  readonly socketPath: string;
  /** host:port of its inspector, from its log. */
  inspectorAddress(): Promise<string>;
  stop(): Promise<void>;
  /** Without a chance to tidy up. */
  kill(): Promise<void>;
}

let count = 0;

/** The built agent with its log at the default level, going to a file as a node's would. */
export async function startAgent(dir: string, flags: readonly string[] = []): Promise<AgentProcess> {
  const socketPath = join(dir, `agent-${++count}.sock`);
  const log = Bun.file(join(dir, `agent-${count}.log`));
  const child = Bun.spawn(
    [
      findProgram("tetragon"),
      "--server-address",
      `unix://${socketPath}`,
      "--info-file=",
      "--log-format",
      "json",
      ...flags,
    ],
    { cwd: "/", env: { PATH: "/usr/bin:/bin" }, stdin: "ignore", stdout: log, stderr: log },
  );
  for (let waitedMs = 0; !(await isListening(socketPath)); waitedMs += 5) {
    if (child.exitCode !== null || waitedMs > 10_000)
      throw new Error(`the agent does not listen: ${await log.text()}`);
    await Bun.sleep(5);
  }
  return {
    pid: child.pid,
    socketPath,
    inspectorAddress: async () => {
      const [, address] = /"inspector listens","address":"([^"]+)"/.exec(await log.text()) ?? [];
      if (address === undefined) throw new Error(`the agent has no inspector: ${await log.text()}`);
      return address;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
