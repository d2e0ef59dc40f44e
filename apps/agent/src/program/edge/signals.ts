// SPDX-License-Identifier: Apache-2.0
// What comes to the agent's process from outside its sockets.

import type { LogWriter } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";

const signals = ["SIGTERM", "SIGINT"] as const; // const: the names are a union
/** A shell's exit code for a process that a signal ended. */
const interruptedExitCode = 130;

/** To be called before anything is worth ending in order. Resolves when a signal asks for the end. */
export function waitForSignal(log: LogWriter): Promise<void> {
  // Containers wait for this process: it goes on after a bug, which has then been logged.
  process.on("uncaughtException", (error) => log.error("unexpected error", { err: describeError(error) }));
  process.on("unhandledRejection", (error) => log.error("unexpected error", { err: describeError(error) }));
  ignoreUnusedSignals((signal) => log.info("signal ignored; changed files are read without one", { signal }));
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: string): void => {
      if (isStopping) {
        log.warn("second signal, ending at once", { signal });
        process.exit(interruptedExitCode);
      }
      isStopping = true;
      log.info("stopping", { signal });
      resolve();
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}
