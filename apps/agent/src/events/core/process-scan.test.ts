// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "bun:test";
import { createProcessCache, type ProcessCache } from "./process-cache.ts";
import type { FoundProcess } from "./process-reader.ts";
import { createProcessScan, type ProcessScan } from "./process-scan.ts";
import { unknownProgram } from "./program.ts";

let cache: ProcessCache;
let scan: ProcessScan;
let read: number[];
const found = new Map<number, FoundProcess>();
const add = (pid: number, parentPid: number, binary = `/bin/${pid}`): void =>
  void found.set(pid, {
    ...{ pid, parentPid, startTime: BigInt(pid) * 10_000_000n, uid: 0, namespacePid: pid - 99 },
    program: { ...unknownProgram, binary, flags: [] },
  });
const scanAll = (): void => {
  while (scan.step()) {}
};

beforeEach(() => {
  found.clear();
  read = [];
  cache = createProcessCache({ nodeName: "n", maxBytes: 1 << 20, retentionMs: 1_000, bootTimeNs: () => 0n });
  const reader = {
    read(pid: number) {
      read.push(pid);
      return found.get(pid);
    },
  };
  scan = createProcessScan({ cache, reader, atOnce: 2 });
});

test("processes have their program, container and parent", () => {
  found.set(50, {
    ...{ pid: 50, parentPid: 1, startTime: 0n, uid: 0, namespacePid: 50 },
    program: { ...unknownProgram, binary: "/bin/shim", flags: [] },
  });
  add(100, 50);
  add(101, 100);
  scan.add(7n, [100, 101]);
  scanAll();
  expect(cache.findNow(101)).toMatchObject({
    program: { binary: "/bin/101" },
    container: 7n,
    origin: "procfs",
  });
  expect(cache.findNow(101)?.parent).toBe(cache.findNow(100));
  expect(cache.findNow(100)?.parent).toMatchObject({ program: { binary: "/bin/shim" }, container: 0n });
});

test("a scan does not change a process that a record has described", () => {
  add(100, 0);
  const entry = cache.put({
    ...{
      pid: 100,
      startTime: 5n,
      programTime: 5n,
      uid: 0,
      namespacePid: 1,
      origin: "exec",
      parent: undefined,
    },
    ...{ program: unknownProgram, container: 7n, chargedTo: 7n },
  });
  scan.add(7n, [100]);
  scanAll();
  expect(cache.findNow(100)).toBe(entry);
});

test("one that has ended, and has no program any more, is left out", () => {
  add(100, 0, "");
  scan.add(7n, [100, 101]);
  scanAll();
  expect(cache.size).toBe(0);
});

test("a step reads some processes of one container, and the next one some of another", () => {
  for (const pid of [100, 101, 102, 200]) add(pid, 0);
  scan.add(7n, [100, 101, 102]);
  scan.add(8n, [200]);
  scan.add(9n, [300]);
  scan.remove(9n);
  const steps: number[][] = [];
  for (let hasMore = true; hasMore; ) {
    read = [];
    hasMore = scan.step();
    steps.push(read);
  }
  expect(steps).toEqual([[100, 101], [200], [102]]);
});
