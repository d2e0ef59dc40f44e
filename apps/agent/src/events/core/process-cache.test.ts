// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createProcessCache, type NewProcess, type ProcessCache } from "./process-cache.ts";
import type { ProcessEntry } from "./process-entry.ts";
import type { Program } from "./program.ts";

const program = (binary: string): Program => ({
  ...{ binary, arguments: "", cwd: "/", auid: undefined, flags: [] },
});
const create = (maxBytes = 1 << 20): ProcessCache =>
  createProcessCache({ nodeName: "node", maxBytes, retentionMs: 1_000, bootTimeNs: () => 0n });
const put = (cache: ProcessCache, pid: number, more: Partial<NewProcess> = {}): ProcessEntry =>
  cache.put({
    ...{
      pid,
      startTime: BigInt(pid) * 1_000n,
      programTime: BigInt(pid) * 1_000n,
      uid: 0,
      origin: "exec",
      namespacePid: undefined,
    },
    ...{ program: program("/bin/x"), parent: undefined, container: 1n, chargedTo: 1n },
    ...more,
  });

test("a process is found by its number and its start, and not another one that had the number", () => {
  const cache = create();
  const entry = put(cache, 10);
  expect(cache.find(10, 10_000n)).toBe(entry);
  expect(cache.find(10, 10_001n)).toBeUndefined();
  expect(cache.find(11, 10_000n)).toBeUndefined();
});

test("one of /proc is found by the tick of its start", () => {
  const cache = create();
  const entry = put(cache, 10, { startTime: 20_000_000n, origin: "procfs" });
  expect(cache.find(10, 29_999_999n)).toBe(entry);
  expect(cache.find(10, 30_000_000n)).toBeUndefined();
});

test("an id has the node, the begin of the program, and the number", () => {
  const { execId } = put(create(), 10, { programTime: 12_345_678_901_234_567n });
  expect(atob(execId)).toBe("node:12345678901234567:10");
});

test("a program replaces the one before, which stays the parent of what it has forked", () => {
  const cache = create();
  const first = put(cache, 10);
  const child = put(cache, 11, { parent: first });
  const second = put(cache, 10, { programTime: 20_000n });
  expect(cache.find(10, 10_000n)).toBe(second);
  expect(child.parent).toBe(first);
  expect([first.children, first.isRunning, cache.size]).toEqual([1, false, 3]);
  cache.end(child, 0);
  cache.forgetEnded(1_000);
  expect(cache.size).toBe(1);
});

test("a process that has ended is found for a while", () => {
  const cache = create();
  const entry = put(cache, 10);
  cache.end(entry, 500);
  cache.forgetEnded(1_499);
  expect(cache.find(10, 10_000n)).toBe(entry);
  cache.forgetEnded(1_500);
  expect([cache.find(10, 10_000n), cache.size]).toEqual([undefined, 0]);
});

test("a parent is kept as long as its children", () => {
  const cache = create();
  const parent = put(cache, 10);
  const children = [11, 12].map((pid) => put(cache, pid, { parent }));
  expect(parent.children).toBe(2);
  cache.end(parent, 0);
  cache.forgetEnded(5_000);
  expect([cache.find(10, 10_000n), cache.size]).toEqual([undefined, 3]);
  for (const child of children) cache.end(child, 5_000);
  cache.forgetEnded(10_000);
  expect(cache.size).toBe(0);
});

test("a chain of processes of which each forks the next and ends keeps two", () => {
  const cache = create();
  let last = put(cache, 10);
  for (let pid = 11; pid < 1_000; pid++) {
    const next = put(cache, pid, { parent: last });
    cache.end(last, pid);
    cache.forgetEnded(pid + 2_000);
    last = next;
  }
  expect(cache.size).toBe(2);
  expect(last.parent?.pid).toBe(998);
  expect(last.parent?.parent).toBeUndefined();
});

describe("a full cache", () => {
  test("takes the oldest entries of the container that has the most", () => {
    const cache = create(100_000);
    for (let pid = 1; pid <= 20; pid++) put(cache, pid, { chargedTo: 7n });
    for (let pid = 1_000; pid < 9_000; pid++) put(cache, pid, { chargedTo: 8n });
    for (let pid = 1; pid <= 20; pid++) expect(cache.find(pid, BigInt(pid) * 1_000n)).toBeDefined();
    expect(cache.find(8_999, 8_999_000n)).toBeDefined();
    expect(cache.find(1_000, 1_000_000n)).toBeUndefined();
    expect(cache.size).toBeLessThan(200);
    expect(cache.evicted).toBe(8_020 - cache.size);
  });

  test("counts texts, also those that processes have in common", () => {
    const cache = create(100_000);
    const large = program("x".repeat(4_000));
    for (let pid = 1; pid < 1_000; pid++) put(cache, pid, { program: large });
    expect(cache.size).toBeLessThan(12);
  });

  test("takes a parent from its children, and its texts", () => {
    const cache = create(30_000);
    const parent = put(cache, 1, { program: program("x".repeat(2_000)) });
    const child = put(cache, 2, { parent });
    for (let pid = 10; pid < 100; pid++) put(cache, pid);
    expect(parent.program.flags).toEqual(["unknown"]);
    // Its turn came after that of the parent.
    expect(cache.find(2, 2_000n)).toBeUndefined();
    expect(child.parent).toBeUndefined();
    for (let pid = 10; pid < 100; pid++) {
      const entry = cache.find(pid, BigInt(pid) * 1_000n);
      if (entry !== undefined) cache.end(entry, 0);
    }
    cache.forgetEnded(10_000);
    expect(cache.size).toBe(0);
  });

  test("with one entry that is too large is empty", () => {
    const cache = create(1_000);
    put(cache, 1, { program: program("x".repeat(2_000)) });
    expect(cache.size).toBe(0);
  });
});
