// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test } from "bun:test";
import { createJobThread, type JobThread } from "./job-thread.ts";

const script = `self.onmessage = ({ data }) => {
  if (data === "bug") throw new Error("a bug");
  self.postMessage("done " + data);
};`;
const url = URL.createObjectURL(new Blob([script], { type: "application/javascript" }));
let thread: JobThread<string, string> | undefined;
afterEach(() => thread?.close());

test("jobs are answered in their order", async () => {
  thread = createJobThread(() => new Worker(url));
  expect(await Promise.all(["a", "b", "c"].map(thread.run))).toEqual(
    ["a", "b", "c"].map((job) => ({ ok: true, value: `done ${job}` })),
  );
});

test("a thread that ends by a bug fails what it had, and the next job begins another", async () => {
  let started = 0;
  thread = createJobThread(() => {
    started++;
    return new Worker(url);
  });
  const outcomes = await Promise.all(["a", "bug", "b"].map(thread.run));
  expect(outcomes[0]).toEqual({ ok: true, value: "done a" });
  for (const outcome of outcomes.slice(1)) {
    expect(outcome).toEqual({ ok: false, error: expect.stringContaining("a thread of the agent ended") });
  }
  expect(await thread.run("c")).toEqual({ ok: true, value: "done c" });
  expect(started).toBe(2);
});

test("what it has at the end fails", async () => {
  thread = createJobThread(() => new Worker(url));
  const running = thread.run("a");
  thread.close();
  expect(await running).toMatchObject({ ok: false });
});
