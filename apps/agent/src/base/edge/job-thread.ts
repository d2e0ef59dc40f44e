// SPDX-License-Identifier: Apache-2.0
// A worker thread that runs jobs one after the other. When a bug ends the thread, its pending jobs fail and the next job
// starts a new thread.

import { err, ok, type Result } from "@rthooks/result";

export interface JobThread<Job, Report> {
  /** The error is one line: the thread failed or ended. */
  run(job: Job): Promise<Result<Report, string>>;
  close(): void;
}

/** `start` returns a worker that answers each message with one message. It does not keep the process alive. */
export function createJobThread<Job, Report>(start: () => Worker): JobThread<Job, Report> {
  let worker: Worker | undefined;
  /** In the order of the answers. */
  let waiting: ((outcome: Result<Report, string>) => void)[] = [];

  const fail = (why: string): void => {
    worker?.terminate();
    worker = undefined;
    const failed = waiting;
    waiting = [];
    for (const conclude of failed) conclude(err(why));
  };

  const begin = (): Worker => {
    const begun = start();
    begun.addEventListener("message", ({ data }: MessageEvent<Report>) => {
      if (worker === begun) waiting.shift()?.(ok(data));
    });
    begun.addEventListener("error", ({ message }) => {
      if (worker === begun) fail(`a thread of the agent ended: ${message}`);
    });
    begun.addEventListener("close", () => {
      if (worker === begun) fail("a thread of the agent ended");
    });
    begun.unref();
    return begun;
  };

  return {
    run(job) {
      worker ??= begin();
      worker.postMessage(job);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: () => fail("the agent is stopping"),
  };
}
