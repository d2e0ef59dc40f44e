// SPDX-License-Identifier: Apache-2.0
// Signals of the process, and errors that no code caught.

import type { LogWriter } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";

const signals = ["SIGTERM", "SIGINT"] as const; // const: the names are a union
/** 128 + SIGINT: the exit code that shells use for an interrupted process. */
const interruptedExitCode = 130;

/** Call it first. Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function waitForSignal(log: LogWriter): Promise<void> {
  // Containers wait for this process, so it logs a bug and continues.
  process.on("uncaughtException", (error) => log.error("unexpected error", { err: describeError(error) }));
  process.on("unhandledRejection", (error) => log.error("unexpected error", { err: describeError(error) }));
  ignoreUnusedSignals((signal) =>
    log.info("signal ignored: changed files are reloaded without a signal", { signal }),
  );
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
