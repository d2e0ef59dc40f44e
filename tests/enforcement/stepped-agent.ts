// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { isListening } from "../harness/agent.ts";
import { type RunningProcess, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

/** A built agent that is killed before a step of its own: see fixtures/step.c. */
export interface SteppedAgent {
  readonly address: string;
  readonly process: RunningProcess;
  /** Counts steps from now on, and kills the agent before this one, the first being 1. 0: before none. */
  killBefore(step: number): void;
  /** Steps since `killBefore`. */
  steps(): number;
  kill(): Promise<void>;
}

let count = 0;

/** `step`: the compiled fixtures/step.c. Listens when it resolves. */
export async function startSteppedAgent(
  workspace: Workspace,
  step: string,
  flags: readonly string[],
): Promise<SteppedAgent> {
  const [control, socket] = [workspace.path(`steps-${++count}`), workspace.path(`stepped-${count}.sock`)];
  const numbers = new Uint32Array(3);
  writeFileSync(control, numbers);
  const fd = openSync(control, "r+");
  workspace.onClose(() => closeSync(fd));
  const address = `unix://${socket}`;
  const own = ["--server-address", address, "--info-file=", "--log-format", "json"];
  const process = startProcess([step, control, findAgent(), ...own, ...flags], {});
  const kill = async (): Promise<void> => {
    if (process.hasExited()) return;
    readSync(fd, numbers, 0, 12, 0);
    // The agent itself: the process that counts its steps ends after it.
    const pid = numbers[2] ?? 0;
    if (pid === 0) throw new Error("the agent was not started");
    try {
      globalThis.process.kill(pid, "SIGKILL");
    } catch {
      // It has ended a moment ago.
    }
    await process.exited;
  };
  workspace.onClose(kill);
  await waitFor("the agent listens", async () => {
    if (process.hasExited()) throw new Error(`the agent ended: ${process.stderr()}${process.stdout()}`);
    return await isListening(socket);
  });
  return {
    ...{ address, process, kill },
    killBefore(wanted) {
      numbers.set([wanted, 0]);
      writeSync(fd, numbers, 0, 8, 0);
    },
    steps() {
      readSync(fd, numbers, 0, 8, 0);
      return numbers[1] ?? 0;
    },
  };
}
