// SPDX-License-Identifier: Apache-2.0
// Asks the runtime now and then what runs: at first for what is older than the agent, later for what no hook told of.

import type { Logger } from "@rthooks/log";
import type { ContainerFinder } from "./container-finder.ts";
import type { CriRuntime } from "./cri-runtime.ts";

const intervalMs = 30_000;
/** After a failure: the runtime may be about to start. */
const retryMs = 1000;

export interface CriFollower {
  /** Why the runtime cannot be asked just now; empty where it can. */
  problem(): string;
  close(): void;
}

export function followCri(runtime: CriRuntime, finder: ContainerFinder, log: Logger): CriFollower {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let problem: string | undefined;
  const look = async (): Promise<void> => {
    const running = await runtime.listRunning();
    if (isClosed) return;
    if (running.ok) {
      if (problem !== "") {
        log.info("the runtime tells what runs", {
          endpoint: runtime.endpoint,
          containers: running.value.length,
        });
      }
      problem = "";
      finder.want("cri", running.value);
    } else if (running.error !== problem) {
      problem = running.error;
      log.warn("the runtime does not tell what runs", { endpoint: runtime.endpoint, err: problem });
    }
    timer = setTimeout(() => void look(), running.ok ? intervalMs : retryMs);
  };
  void look();
  return {
    problem: () => problem ?? "",
    close() {
      isClosed = true;
      clearTimeout(timer);
      runtime.close();
    },
  };
}
