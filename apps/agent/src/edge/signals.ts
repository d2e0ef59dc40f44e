// SPDX-License-Identifier: Apache-2.0
// The life of the agent's process after its start.

import { describeError } from "@rthooks/result";
import type { LogWriter } from "./log-writer.ts";
import type { Agent } from "./run-agent.ts";

const signals = ["SIGTERM", "SIGINT"] as const; // const: the names are a union
/** A shell's exit code for a process that a signal ended. */
const interruptedExitCode = 130;

/** Resolves with the exit code when a signal has asked for the end and the running calls are answered. */
export function waitForEnd(agent: Agent, log: LogWriter): Promise<number> {
  // Containers wait for this process: it goes on after a bug, which has then been logged.
  process.on("uncaughtException", (error) => log.error("unexpected error", { err: describeError(error) }));
  process.on("unhandledRejection", (error) => log.error("unexpected error", { err: describeError(error) }));
  // Rotation tools and closed terminals send it; there is nothing to reload.
  process.on("SIGHUP", () => log.info("SIGHUP ignored: the pods file is read again by itself"));
  return new Promise((resolve) => {
    let isStopping = false;
    const end = async (signal: string): Promise<void> => {
      if (isStopping) {
        log.warn("second signal, ending at once", { signal });
        process.exit(interruptedExitCode);
      }
      isStopping = true;
      log.info("stopping", { signal });
      const isDrained = await agent.stop();
      if (isDrained) log.info("stopped");
      else log.warn("stopped with calls unanswered: --drain-timeout was over");
      resolve(0);
    };
    for (const signal of signals) process.on(signal, () => void end(signal));
  });
}
