// SPDX-License-Identifier: Apache-2.0
// Lists the running containers from the runtime at intervals: at first for those that are older than the agent, later for
// those that no hook reported.

import type { Logger } from "@rthooks/log";
import { createBackOff } from "@rthooks/net";
import { ok, type Result } from "@rthooks/result";
import type { ContainerFinder } from "./container-finder.ts";
import { type CriOptions, type CriRuntime, openCriRuntime } from "./cri-runtime.ts";

const intervalMs = 30_000;
/** After a failure: the runtime may be about to start. */
const retry = { firstMs: 200, longestMs: 5000 };
/** After a lost connection: a runtime that restarts needs a moment. */
const lostMs = 500;

export interface CriFollower extends Pick<CriRuntime, "fetchCgroupsPath" | "name"> {
  /** Sends every list to the finder from now on. */
  start(finder: Pick<ContainerFinder, "replaceList">): void;
  /** Why the last list failed, one line for users; empty where it did not. */
  problem(): string;
  close(): void;
}

/** The error is one line for users. */
export function openCri(options: Omit<CriOptions, "onLost">, log: Logger): Result<CriFollower, string> {
  const opened = openCriRuntime({ ...options, onLost: () => schedule(lostMs) });
  if (!opened.ok) return opened;
  const runtime = opened.value;
  let finder: Pick<ContainerFinder, "replaceList"> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let isListing = false;
  let problem: string | undefined;
  const backOff = createBackOff(retry, Math.random);

  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (!isClosed && !isListing) timer = setTimeout(() => void list(), ms);
  };
  const list = async (): Promise<void> => {
    isListing = true;
    const running = await runtime.listRunning();
    isListing = false;
    if (isClosed) return;
    if (running.ok) {
      if (problem !== "") {
        log.info("listing containers from the runtime", {
          address: runtime.endpoint(),
          containers: running.value.length,
        });
      }
      problem = "";
      backOff.reset();
      finder?.replaceList("cri", running.value);
    } else if (running.error !== problem) {
      problem = running.error;
      log.warn("cannot list containers from the runtime", { err: problem });
    }
    schedule(running.ok ? intervalMs : backOff.next());
  };

  return ok({
    start(wanted) {
      finder = wanted;
      schedule(0);
    },
    fetchCgroupsPath: runtime.fetchCgroupsPath,
    name: runtime.name,
    problem: () => (problem ? `--enable-cri: ${problem}` : ""),
    close() {
      isClosed = true;
      clearTimeout(timer);
      runtime.close();
    },
  });
}
