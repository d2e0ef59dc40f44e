// SPDX-License-Identifier: Apache-2.0
// The thread of the programs: with the kernel's programs, and with threads that end within a job.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { err, ok } from "@rthooks/result";
import { type ProgramThread, startProgramThread } from "./program-thread.ts";

const exec = { kind: "exec" } as const; // const: a hook's kind
const errors: string[] = [];
const log = { debug() {}, info() {}, warn() {}, error: (text: string) => void errors.push(text) };
let thread: ProgramThread | undefined;
/** Threads in the order of their starts; each is what the test made of it. */
let workers: Worker[] = [];
let bpfFs: string;
const cgroupRoot = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1] ?? "";

beforeEach(() => {
  errors.length = 0;
  workers = [];
  bpfFs = mkdtempSync(join(tmpdir(), "rth-programs-"));
  Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]);
});
afterEach(async () => {
  await thread?.detachUnused(new Set());
  thread?.close();
  Bun.spawnSync(["umount", bpfFs]);
  rmdirSync(bpfFs);
}, 60_000);

const ownUrl = new URL("./program-worker.ts", import.meta.url);
const toUrl = (script: string): string =>
  URL.createObjectURL(new Blob([script], { type: "application/javascript" }));
const endsAtOnce = toUrl("self.onmessage = () => { throw new Error('a bug'); };");

/** Starts these threads, one after the other, and then the agent's own. */
function open(...urls: readonly string[]): ProgramThread {
  thread = startProgramThread({
    ...{ place: { directory: join(bpfFs, "enforcement"), cgroupRoot }, log },
    beforeStart: () => {},
    startWorker() {
      const worker = new Worker(urls[workers.length] ?? ownUrl);
      workers.push(worker);
      return worker;
    },
  });
  return thread;
}

const pins = (): readonly string[] =>
  readdirSync(join(bpfFs, "enforcement")).filter((name) => /-[0-9a-f]{16}$/.test(name));

describe("a thread that ends within a job", () => {
  test("is followed by another one, which does the job", async () => {
    expect(await open(endsAtOnce).attach(exec)).toEqual(ok(1));
    expect(pins().map((pin) => pin.replace(/-.*/, ""))).toContain("kill_exec");
    expect(errors).toEqual(["the thread of the programs ended; another one starts"]);
  }, 60_000);

  test("twice is the error of the job, and the next job has another thread", async () => {
    const opened = open(endsAtOnce, endsAtOnce);
    expect(await opened.attach(exec)).toEqual(err(expect.stringContaining("a bug")));
    expect(await opened.attach(exec)).toEqual(ok(1));
  }, 60_000);

  test("leaves what it has attached, and the next thread adopts it", async () => {
    const opened = open();
    await opened.attach(exec);
    const before = pins();
    const ended = new Promise((resolve) => workers[0]?.addEventListener("close", resolve));
    workers[0]?.terminate();
    await ended;
    expect(pins()).toEqual(before);
    expect(await opened.attach(exec)).toEqual(ok(1));
    expect([pins(), workers.length]).toEqual([before, 2]);
    expect(await opened.detachUnused(new Set())).toEqual(ok(undefined));
    expect(pins()).toEqual([]);
  }, 60_000);
});

test("jobs are done in their order, and none after the end", async () => {
  const opened = open();
  const outcomes = await Promise.all([
    ...[opened.attach(exec), opened.detachUnused(new Set())],
    ...[opened.attach({ kind: "connect" }), opened.keep()],
  ]);
  expect(outcomes).toEqual([ok(1), ok(undefined), ok(2), ok(false)]);
  expect(pins().every((pin) => !pin.startsWith("kill_"))).toBe(true);
  await opened.detachUnused(new Set());
  opened.close();
  expect(await opened.attach(exec)).toEqual(err("the agent is stopping"));
}, 60_000);
