// SPDX-License-Identifier: Apache-2.0
// A thread that does jobs, one after the other. One that ends by a bug fails the jobs that it had, and the next job begins
// another.

import { err, ok, type Result } from "@rthooks/result";

export interface JobThread<Job, Report> {
  /** The error is one line for people: the thread could not do it, or has ended. */
  run(job: Job): Promise<Result<Report, string>>;
  close(): void;
}

/** `start`: the thread answers each message with one. It does not keep the process alive. */
export function createJobThread<Job, Report>(start: () => Worker): JobThread<Job, Report> {
  let worker: Worker | undefined;
  /** In the order in which the thread answers. */
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
      if (worker === begun) fail(`a thread of the agent has ended: ${message}`);
    });
    begun.addEventListener("close", () => {
      if (worker === begun) fail("a thread of the agent has ended");
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
    close: () => fail("the agent ends"),
  };
}
