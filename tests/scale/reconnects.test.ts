// SPDX-License-Identifier: Apache-2.0
// 1,000 nodes with three watches each lose their API server at the same moment, in virtual time: how many requests reach it in
// a second. The bound: twice the number of nodes, divided by the back-off window.
import { describe, expect, test } from "bun:test";
import { createReconnectLine } from "@rthooks/kube";
import { createRandom } from "../harness/random.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

const nodes = 1000;
const watches = 3;
const windows = { firstMs: 5000, longestMs: 30_000 };
const bound = (2 * nodes) / (windows.firstMs / 1000);

/** What the server does with a request: "ok", or a refusal with its Retry-After, after some time. */
type Answer = "ok" | { readonly retryAfterMs: number; readonly afterMs: number };

interface Run {
  /** Requests in each second. */
  readonly perSecond: readonly number[];
  readonly connected: number;
  /** Requests of each node. */
  readonly perNode: readonly number[];
}

/** `lost`: the nodes whose watches end at the beginning. */
async function run(
  seconds: number,
  answer: (atMs: number, number: number) => Answer,
  lost = nodes,
): Promise<Run> {
  const clock: VirtualClock = createVirtualClock();
  const random = createRandom(20_261_128);
  const perSecond = Array.from({ length: seconds }, () => 0);
  const perNode = Array.from({ length: lost }, () => 0);
  let connected = 0;
  let total = 0;
  const { signal } = new AbortController();
  for (let node = 0; node < lost; node++) {
    const line = createReconnectLine(windows, clock, random);
    const reconnect = async (): Promise<void> => {
      for (;;) {
        const turn = await line.enter(signal);
        const second = Math.floor(clock.nowMs() / 1000);
        perSecond[second] = (perSecond[second] ?? 0) + 1;
        perNode[node] = (perNode[node] ?? 0) + 1;
        const answered = answer(clock.nowMs(), total++);
        if (answered === "ok") {
          turn.answered();
          connected++;
          return;
        }
        await clock.sleep(answered.afterMs);
        turn.refused(answered.retryAfterMs);
      }
    };
    for (let watch = 0; watch < watches; watch++) void reconnect();
  }
  await clock.runUntil(seconds * 1000 - 3);
  return { perSecond, connected, perNode };
}

const refusal = { retryAfterMs: 0, afterMs: 0 };

describe("requests of 1,000 nodes stay within twice the nodes per window, and all watches come back, where the server", () => {
  test.each<[string, number, (atMs: number, number: number) => Answer]>([
    ["is back at once", 60, () => "ok"],
    ["is away for 20 seconds", 180, (atMs) => (atMs < 20_000 ? refusal : "ok")],
    ["is away for five minutes", 500, (atMs) => (atMs < 300_000 ? refusal : "ok")],
    [
      "says 429 with Retry-After: 1 for 10 s",
      180,
      (at) => (at < 10_000 ? { retryAfterMs: 1000, afterMs: 0 } : "ok"),
    ],
    [
      "says 429 to every second request",
      1500,
      (_, number) => (number % 2 === 0 ? { retryAfterMs: 1000, afterMs: 0 } : "ok"),
    ],
    [
      "accepts and hangs for a minute",
      400,
      (at) => (at < 60_000 ? { retryAfterMs: 0, afterMs: 75_000 } : "ok"),
    ],
  ])("%s", async (_, seconds, answer) => {
    const { perSecond, connected } = await run(seconds, answer);
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(bound);
    expect(connected).toBe(nodes * watches);
  });
});

test("a server that is back at once gets one request of each watch, not one more", async () => {
  const { perNode } = await run(60, () => "ok");
  expect(perNode.every((count) => count === watches)).toBe(true);
});

test("while it is away a node sends one request in each window, whatever its number of watches", async () => {
  const { perNode } = await run(300, () => refusal);
  // 5 + 10 + 20 + 30 + 30 + …: twelve windows in five minutes.
  expect(Math.max(...perNode)).toBeLessThanOrEqual(12);
  expect(Math.min(...perNode)).toBeGreaterThanOrEqual(10);
});

test("in a rolling restart of three servers each third of the nodes stays within its share of the bound", async () => {
  // What a server that goes away had is taken over by the other two.
  for (let restart = 0; restart < 3; restart++) {
    const { perSecond, connected } = await run(30, () => "ok", Math.round(nodes / 3));
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(bound / 3);
    expect(connected).toBe(Math.round(nodes / 3) * watches);
  }
});

test("a request without an answer holds the other watches of its node for its window only", async () => {
  const clock = createVirtualClock();
  const line = createReconnectLine(windows, clock, createRandom(1));
  const { signal } = new AbortController();
  let turns = 0;
  for (let watch = 0; watch < watches; watch++) void line.enter(signal).then(() => turns++);
  await clock.runUntil(watches * windows.firstMs + 100);
  expect(turns).toBe(watches);
});

test("Retry-After is observed, and the requests after it are spread over a window again", async () => {
  const retryAfterMs = 20_000;
  const { perSecond } = await run(180, (atMs) => (atMs < 5000 ? { retryAfterMs, afterMs: 0 } : "ok"));
  expect(perSecond.slice(6, 20).every((count) => count === 0)).toBe(true);
  expect(perSecond.slice(20, 40).filter((count) => count > 0).length).toBeGreaterThan(15);
});
