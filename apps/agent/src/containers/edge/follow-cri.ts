// SPDX-License-Identifier: Apache-2.0
// Asks the runtime now and then what runs: at first for what is older than the agent, later for what no hook reported.

import { createBackOff } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { ContainerFinder } from "./container-finder.ts";
import { type CriOptions, type CriRuntime, openCriRuntime } from "./cri-runtime.ts";

const intervalMs = 30_000;
/** After a failure: the runtime may be about to start. */
const longestRetryMs = 5000;
/** After a connection has ended: a runtime that starts again needs a moment. */
const lostMs = 500;

export interface CriFollower extends Pick<CriRuntime, "locate"> {
  /** What runs goes to the finder from now on. */
  start(finder: Pick<ContainerFinder, "want">): void;
  /** Why the runtime cannot be asked just now; empty where it can. */
  problem(): string;
  close(): void;
}

/** The error is one line for people. */
export function openCri(options: Omit<CriOptions, "onLost">, log: Logger): Result<CriFollower, string> {
  const opened = openCriRuntime({ ...options, onLost: () => schedule(lostMs) });
  if (!opened.ok) return opened;
  const runtime = opened.value;
  let finder: Pick<ContainerFinder, "want"> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let isLooking = false;
  let problem: string | undefined;
  let backOff = createBackOff(Math.random, longestRetryMs);

  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (!isClosed && !isLooking) timer = setTimeout(() => void look(), ms);
  };
  const look = async (): Promise<void> => {
    isLooking = true;
    const running = await runtime.listRunning();
    isLooking = false;
    if (isClosed) return;
    if (running.ok) {
      if (problem !== "") {
        log.info("the runtime tells what runs", {
          endpoint: runtime.endpoint(),
          containers: running.value.length,
        });
      }
      problem = "";
      backOff = createBackOff(Math.random, longestRetryMs);
      finder?.want("cri", running.value);
    } else if (running.error !== problem) {
      problem = running.error;
      log.warn("the runtime does not tell what runs", { err: problem });
    }
    schedule(running.ok ? intervalMs : backOff.next());
  };

  return ok({
    start(wanted) {
      finder = wanted;
      schedule(0);
    },
    locate: runtime.locate,
    problem: () => (problem ? `--enable-cri: ${problem}` : ""),
    close() {
      isClosed = true;
      clearTimeout(timer);
      runtime.close();
    },
  });
}
