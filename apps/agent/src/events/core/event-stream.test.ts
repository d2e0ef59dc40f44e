// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { EventRecord, ExecRecord, ExitRecord, ForkRecord, MatchRecord } from "@rthooks/bpf";
import type { RuleReport } from "@rthooks/policy";
import type { AgentEvent, EventContainer } from "./agent-event.ts";
import { createEventStream } from "./event-stream.ts";
import { createProcessCache } from "./process-cache.ts";
import type { FoundProcess } from "./process-reader.ts";

const BOOT = 1_700_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const head = {
  ...{ time: 50n * SECOND, container: 7n, startTime: 40n * SECOND, pid: 100, tid: 100, uid: 5 },
  ...{ parentPid: 1, parentStartTime: SECOND },
};
const exec = (more: Partial<ExecRecord> = {}): ExecRecord => ({
  ...{ kind: "exec", ...head, auid: 4, namespacePid: 2, path: "/bin/ls", arguments: ["ls", "-l", "a b", ""] },
  ...{ areArgumentsCut: false, cwd: "/root" },
  ...more,
});
const exit = (more: Partial<ExitRecord> = {}): ExitRecord => ({
  kind: "exit",
  ...head,
  exitCode: 0,
  ...more,
});
const fork = (childPid: number, more: Partial<ForkRecord> = {}): ForkRecord => ({
  ...{ kind: "fork", ...head, childPid, childNamespacePid: 8, childStartTime: BigInt(childPid) * SECOND },
  ...more,
});
const match = (more: Partial<MatchRecord> = {}): MatchRecord => ({
  ...{ kind: "match", ...head, hook: 1, isDenied: false, isSignalled: false, rules: new Set([3]) },
  ...{ enforced: new Set(), numbers: {}, texts: {}, bytes: {}, addresses: {} },
  ...more,
});
const container: EventContainer = {
  ...{
    cgroupId: 7n,
    id: "c1",
    name: "app",
    image: "i",
    imageId: "",
    runtime: "",
    startTimeMs: undefined,
    pid: undefined,
  },
  ...{ podName: "p", podUid: "u", namespace: "n", labels: new Map(), workload: "", workloadKind: "" },
};

function open(found: readonly FoundProcess[] = []) {
  const events: AgentEvent[] = [];
  const gone: bigint[] = [];
  const read: number[] = [];
  const clock = { ms: 0, bootNs: BOOT };
  const counts = { unknownRules: 0 };
  const nowMs = (): number => clock.ms;
  const stream = createEventStream({
    cache: createProcessCache({
      nodeName: "n",
      maxBytes: 1 << 20,
      retentionMs: 1_000,
      bootTimeNs: () => clock.bootNs,
    }),
    reader: {
      read(pid) {
        read.push(pid);
        return found.find((one) => one.pid === pid);
      },
    },
    consumer: { publish: (event) => void events.push(event) },
    ...{ hold: { forMs: 100, ofContainer: 50, inAll: 100 }, retentionMs: 500, readsPerSecond: 3, nowMs },
    bootTimeNs: () => clock.bootNs,
    onCgroupGone: (cgroupId) => void gone.push(cgroupId),
    onUnknownRules: () => void counts.unknownRules++,
  });
  stream.putContainer(container);
  return {
    ...{ stream, events, gone, read, clock, counts },
    take: (...records: readonly EventRecord[]): readonly AgentEvent[] => {
      events.length = 0;
      for (const record of records) stream.take(record);
      return [...events];
    },
  };
}

describe("a program", () => {
  test("is told with its texts, its container and its parent", () => {
    const { take } = open();
    const [first] = take(
      exec({ pid: 1, startTime: SECOND, parentPid: 0, parentStartTime: 0n, path: "/init", cwd: "/" }),
    );
    expect(first).toMatchObject({ process: { binary: "/init", flags: ["execve", "rootcwd", "clone"] } });
    const [event] = take(exec());
    expect(event).toEqual({
      ...{ kind: "exec", timeNs: BOOT + 50n * SECOND },
      process: {
        ...{ pid: 100, tid: 100, startTimeNs: BOOT + 50n * SECOND, uid: 5, auid: 4, namespacePid: 2 },
        ...{ binary: "/bin/ls", arguments: '-l "a b" ""', cwd: "/root", flags: ["execve", "clone"] },
        ...{ execId: btoa("n:50000000000:100"), parentExecId: btoa("n:50000000000:1"), refcnt: 1, container },
        inInitTree: false,
      },
      parent: expect.objectContaining({ pid: 1, binary: "/init", refcnt: 2, container }),
    });
  });

  test("that follows another one in the same process has an id of its own", () => {
    const { take } = open();
    take(exec());
    const [second] = take(exec({ time: 51n * SECOND, path: "/bin/cat" }));
    expect(second).toMatchObject({ process: { execId: btoa("n:51000000000:100"), flags: ["execve"] } });
    expect(take(exit())).toMatchObject([{ process: { binary: "/bin/cat" } }]);
  });

  test("of which something cannot be told says so", () => {
    const nothing = { path: undefined, cwd: undefined, arguments: undefined, areArgumentsCut: true };
    expect(open().take(exec(nothing))).toMatchObject([
      {
        process: {
          ...{ binary: "", arguments: "", cwd: "" },
          flags: ["execve", "errorCWD", "truncFilename", "errorArgs", "truncArgs", "clone"],
        },
      },
    ]);
  });
});

test("when the clock is set, a process keeps its start, and what comes has the new time", () => {
  const { take, clock } = open();
  take(exec());
  clock.bootNs += 3_600n * SECOND;
  const [exited] = take(exit({ time: 52n * SECOND }));
  expect(exited).toMatchObject({
    timeNs: BOOT + 3_652n * SECOND,
    process: { startTimeNs: BOOT + 50n * SECOND },
  });
  const [begun] = take(exec({ pid: 101, startTime: 53n * SECOND, time: 54n * SECOND }));
  const startTimeNs = BOOT + 3_654n * SECOND;
  expect(begun).toMatchObject({ timeNs: startTimeNs, process: { startTimeNs } });
});

test("a process is in the tree of its container's first one, also after it has begun another program", () => {
  const { take } = open();
  const from = (pid: number) => ({ parentPid: pid, parentStartTime: BigInt(pid) * SECOND });
  const own = (pid: number) => ({ pid, startTime: BigInt(pid) * SECOND });
  const inTree = (record: ExecRecord): unknown => {
    const [event] = take(record);
    return event?.kind === "exec" && [event.process.inInitTree, event.parent?.inInitTree];
  };
  // The runtime is in no container.
  expect(inTree(exec({ ...own(50), ...from(1), container: 0n, namespacePid: 1 }))).toEqual([
    false,
    undefined,
  ]);
  expect(inTree(exec({ ...own(60), ...from(50), namespacePid: 1 }))).toEqual([true, false]);
  take(fork(70, own(60)));
  expect(inTree(exec({ ...own(70), ...from(60), namespacePid: 8 }))).toEqual([true, true]);
  expect(inTree(exec({ ...own(70), ...from(50), namespacePid: 8 }))).toEqual([true, false]);
  // As of `kubectl exec`.
  expect(inTree(exec({ ...own(80), ...from(50), namespacePid: 9 }))).toEqual([false, false]);
  expect(inTree(exec({ ...own(90), ...from(80), namespacePid: 10 }))).toEqual([false, false]);
});

test("a process has the user that its parent had when it was made, and not at the begin of its program", () => {
  const { take } = open();
  take(exec({ uid: 0 }), fork(200, { uid: 33 }));
  const child = { pid: 200, startTime: 200n * SECOND, parentPid: 100, parentStartTime: 40n * SECOND };
  const [begun] = take(exec({ pid: 201, parentPid: 200, parentStartTime: 200n * SECOND }));
  expect(begun).toMatchObject({ parent: { pid: 200, uid: 33 } });
  expect(take(exit({ ...child, uid: 33 }))).toMatchObject([{ process: { uid: 33 }, parent: { uid: 0 } }]);
});

describe("the end of a process", () => {
  test("has its status, or the signal", () => {
    const { take } = open();
    take(exec());
    expect(take(exit({ exitCode: 9 }))).toMatchObject([{ kind: "exit", status: 0, signal: "SIGKILL" }]);
    take(exec({ pid: 101 }));
    expect(take(exit({ pid: 101, exitCode: 3 << 8 }))).toMatchObject([{ status: 3, signal: "" }]);
  });

  test("is told once", () => {
    const { take } = open();
    take(exec());
    expect(take(exit(), exit({ tid: 101 }))).toHaveLength(1);
  });

  test("that was forked is that of its parent's program", () => {
    const { take } = open();
    const [parent] = take(exec(), fork(200));
    const [event] = take(
      exit({ pid: 200, startTime: 200n * SECOND, parentPid: 100, parentStartTime: 40n * SECOND }),
    );
    expect(event).toMatchObject({
      process: {
        ...{
          binary: "/bin/ls",
          pid: 200,
          namespacePid: 8,
          flags: ["clone"],
          execId: btoa("n:200000000000:200"),
        },
        parentExecId: parent?.kind === "exec" ? parent.process.execId : "",
      },
      parent: { pid: 100, binary: "/bin/ls" },
    });
  });
});

describe("a match", () => {
  const report: RuleReport = {
    ...{ policyName: "p", policyNamespace: "", event: "kprobe", hook: "h", hookIndex: 0, selectorIndex: 0 },
    ...{ selectorLabel: "", message: "", tags: [], args: [] },
  };
  test("is one of the thread, in the program that runs", () => {
    const { take, stream } = open();
    stream.putRule(3, { report, hookNames: new Map(), effects: [] });
    take(exec());
    expect(take(match({ tid: 105, uid: 6 }))).toMatchObject([
      { kind: "match", process: { pid: 100, tid: 105, uid: 6, binary: "/bin/ls" }, report, action: "post" },
    ]);
  });

  test("has the thread, the user, the container and the references of its own time", () => {
    const { take, stream } = open();
    stream.putRule(3, { report, hookNames: new Map(), effects: [] });
    take(exec());
    const processOf = (more: Partial<MatchRecord> = {}) => {
      const [event] = take(match(more));
      return event?.kind === "match" ? event.process : undefined;
    };
    const first = processOf();
    expect(first).toMatchObject({ tid: 100, uid: 5, refcnt: 1, container: { name: "app" } });
    expect(processOf({ tid: 101 })).toMatchObject({ tid: 101 });
    expect(processOf()).toEqual(first);
    expect(processOf({ uid: 6 })).toMatchObject({ uid: 6 });
    expect(processOf()).toEqual(first);
    take(fork(200));
    expect(processOf()).toMatchObject({ refcnt: 2 });
    stream.putContainer({ ...container, name: "renamed" });
    expect(processOf()).toMatchObject({ container: { name: "renamed" } });
  });

  test("whose rules are not known any more is counted", () => {
    const { take, counts, stream } = open();
    expect(take(match())).toEqual([]);
    expect(counts.unknownRules).toBe(1);
    stream.putRule(3, { report, hookNames: new Map(), effects: [] });
    expect(take(match({ rules: new Set([3, 4]) }))).toHaveLength(1);
    expect(counts.unknownRules).toBe(1);
  });

  test("of a process in no container has none", () => {
    const { take, stream } = open();
    stream.putRule(3, { report, hookNames: new Map(), effects: [] });
    expect(take(match({ container: 0n }))).toMatchObject([{ process: { pid: 100, container: undefined } }]);
  });
});

describe("a process that is older than the agent", () => {
  const old = (pid: number, more: Partial<FoundProcess> = {}): FoundProcess => ({
    ...{ pid, parentPid: 1, startTime: 40n * SECOND, uid: 3, namespacePid: 9 },
    program: {
      ...{ binary: "/bin/old", arguments: "x", cwd: "/", auid: 1, flags: ["rootcwd"] },
    },
    ...more,
  });

  test("is read once, with its parent", () => {
    const { take, read } = open([old(100), old(1, { startTime: SECOND })]);
    expect(take(exit({ startTime: 40n * SECOND + 7n }))).toMatchObject([
      {
        process: { binary: "/bin/old", flags: ["procFS", "rootcwd"], container },
        parent: { pid: 1, container },
      },
    ]);
    take(exec({ pid: 101 }), exit({ pid: 101 }));
    expect(read).toEqual([1, 100]);
  });

  test("is the runtime, and in no container, where it is in no PID namespace", () => {
    const runtime = old(1, { startTime: SECOND, namespacePid: 1 });
    expect(open([runtime]).take(exec())).toMatchObject([{ parent: { pid: 1, container: undefined } }]);
  });

  test("is not taken for another one that has its number now", () => {
    const { take } = open([old(100, { startTime: 41n * SECOND })]);
    expect(take(exit())).toMatchObject([{ process: { pid: 100, binary: "", flags: ["unknown"] } }]);
  });

  test("is read so many times in a second for one container", () => {
    const { take, read, clock, stream } = open();
    for (let pid = 100; pid < 200; pid++) take(exit({ pid }));
    expect(read).toHaveLength(3);
    stream.putContainer({ ...container, cgroupId: 8n });
    take(exit({ pid: 300, container: 8n }));
    expect(read).toHaveLength(5);
    clock.ms = 1_000;
    take(exit({ pid: 301 }));
    expect(read).toHaveLength(7);
  });
});

describe("a container", () => {
  test("that is not known yet holds its records back, and no others", () => {
    const { take, events, stream } = open();
    const unknown = { container: 9n };
    expect(take(exec({ ...unknown, pid: 1 }), exec(), exit({ ...unknown, pid: 1 }))).toMatchObject([
      { process: { pid: 100 } },
    ]);
    events.length = 0;
    const late = { ...container, cgroupId: 9n, podName: "late" };
    stream.putContainer(late);
    expect(events).toMatchObject([
      { kind: "exec", process: { pid: 1, container: late } },
      { kind: "exit", process: { pid: 1, container: late } },
    ]);
  });

  test("that does not become known has events without a pod, a while later", () => {
    const { take, events, stream, clock } = open();
    take(exec({ container: 9n }));
    clock.ms = 99;
    stream.tick();
    expect(events).toEqual([]);
    clock.ms = 100;
    stream.tick();
    expect(events).toMatchObject([{ kind: "exec", process: { container: undefined } }]);
  });

  test("that is not known when the thread ends has events without a pod", () => {
    const { take, events, stream } = open();
    take(exec({ container: 9n }));
    stream.finish();
    expect(events).toMatchObject([{ kind: "exec", process: { container: undefined } }]);
  });

  test("that was removed is known a while longer", () => {
    const { take, stream, clock } = open();
    stream.removeContainer(7n);
    clock.ms = 499;
    stream.tick();
    expect(take(exec())).toMatchObject([{ process: { container } }]);
    clock.ms = 500;
    stream.tick();
    expect(take(exit())).toEqual([]);
  });

  test("that was removed and put again stays", () => {
    const { take, stream, clock } = open();
    stream.removeContainer(7n);
    stream.putContainer(container);
    clock.ms = 1_000;
    stream.tick();
    expect(take(exec())).toMatchObject([{ process: { container } }]);
  });

  test("whose cgroup was removed is reported", () => {
    const { take, gone } = open();
    expect(take({ kind: "cgroup_gone", ...head, container: 0n, cgroup: 7n })).toEqual([]);
    expect(gone).toEqual([7n]);
  });
});

test("lost records are an event", () => {
  const { stream, events, clock } = open();
  clock.ms = 2_000;
  stream.lose(5n);
  expect(events).toEqual([{ kind: "lost", timeNs: BOOT + 2n * SECOND, count: 5n }]);
});
