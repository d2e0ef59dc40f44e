// SPDX-License-Identifier: Apache-2.0
// The thread of the events, with real processes in a real cgroup.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { must } from "@rthooks/result/must";
import { noStatistics } from "../core/event-statistics.ts";
import { type EventCgroup, openEventCgroup } from "./event-cgroup.fixture.ts";
import { type EventThread, startEventThread } from "./event-thread.ts";
import { attachProcessPrograms, type ProcessPrograms } from "./process-programs.ts";

let cgroup: EventCgroup;
let programs: ProcessPrograms;
let thread: EventThread;
const gone: bigint[] = [];
const errors: string[] = [];
const warnings: unknown[] = [];
const log = {
  debug() {},
  info() {},
  warn: (...line: unknown[]) => void warnings.push(line),
  error: (text: string) => void errors.push(text),
};
const settings = () => ({
  node: { nodeName: "n", clusterName: "", abi: "x64" },
  export: undefined,
  records: { directory: join(cgroup.bpfFs, "enforcement"), procfs: "/proc", cgroupRoot: cgroup.hierarchy },
});
const start = async (startWorker?: () => Worker): Promise<EventThread> =>
  must(
    await startEventThread({
      settings: settings(),
      log,
      onCgroupsGone: (ids) => void gone.push(...ids),
      ...(startWorker === undefined ? {} : { startWorker }),
    }),
  );
async function waitFor(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries === 10_000) throw new Error(`not seen: ${what}`);
    await Bun.sleep(2);
  }
}

beforeEach(async () => {
  gone.length = 0;
  errors.length = 0;
  warnings.length = 0;
  cgroup = openEventCgroup();
  programs = must(attachProcessPrograms(join(cgroup.bpfFs, "enforcement"), cgroup.hierarchy, log));
  thread = await start();
});
afterEach(async () => {
  await thread.close();
  programs.detach();
  programs.close();
  cgroup.close();
});

test("processes are counted, and the end of the container's cgroup is told", async () => {
  thread.putContainer(cgroup.container, false);
  for (let at = 0; at < 20; at++) cgroup.run("/bin/busybox", "true");
  await waitFor("20 executions", () => thread.statistics().records.events.exec === 20);
  expect(thread.statistics().records).toMatchObject({ events: { exec: 20, exit: 20 }, unreadable: 0 });
  expect([thread.problem(), ...programs.problems()]).toEqual([""]);
  rmdirSync(join(cgroup.hierarchy, basename(cgroup.bpfFs)));
  await waitFor("the end of the cgroup", () => gone.includes(cgroup.container.cgroupId));
});

test("what happened while there was no agent is read by the next one", async () => {
  await thread.close();
  cgroup.run("/bin/busybox", "true");
  thread = await start();
  thread.putContainer(cgroup.container, false);
  await waitFor("the execution", () => thread.statistics().records.events.exec === 1);
});

test("a process that ran before the thread is known with its parent", async () => {
  thread.putContainer(cgroup.container, false);
  const started = cgroup.start("/bin/busybox", "sleep", "1000");
  await waitFor("the execution", () => thread.statistics().records.events.exec === 1);
  await thread.close();
  thread = await start();
  thread.putContainer(cgroup.container, true);
  await waitFor("the process and its parent", () => thread.statistics().records.processes === 2);
  started.kill("SIGKILL");
  await waitFor("its end", () => thread.statistics().records.events.exit === 1);
});

test("programs are detached at the end", () => {
  const list = (): readonly string[] =>
    readdirSync(join(cgroup.bpfFs, "enforcement")).filter((name) => name.startsWith("tell_"));
  expect(list()).toHaveLength(4);
  programs.detach();
  expect(list()).toEqual([]);
});

test("a bug in the thread leaves no open maps and no mapped memory", async () => {
  const isMap = (fd: string): boolean => {
    try {
      return readlinkSync(join("/proc/self/fd", fd)).includes("bpf-map");
    } catch {
      // It was that of the list itself.
      return false;
    }
  };
  const count = (): readonly number[] => [
    readFileSync("/proc/self/maps", "utf8").split("bpf-map").length,
    readdirSync("/proc/self/fd").filter(isMap).length,
  ];
  const before = count();
  // The type is wrong on purpose: reading the request throws in the thread.
  const broken = undefined as unknown as Uint8Array;
  const ended = Promise.withResolvers<string>();
  thread.streams.open(broken, { write: () => true, end: ended.resolve });
  expect(await ended.promise).toBe("stopped");
  await waitFor("another thread", () => thread.problem() === "");
  expect(count()).toEqual(before);
});

test("what a thread had read and not told when a bug ended it is counted", async () => {
  // The kernel knows the container, and the thread does not: its records wait.
  cgroup.run("/bin/busybox", "true");
  await waitFor("the records", () => thread.statistics().records.records.exec === 1);
  // The type is wrong on purpose: reading the request throws in the thread.
  const broken = undefined as unknown as Uint8Array;
  thread.streams.open(broken, { write: () => true, end() {} });
  await waitFor("the end", () => thread.problem() !== "");
  const { records, abandoned } = thread.statistics().records;
  expect(abandoned).toBe(records.exec + records.exit + records.fork);
  expect(abandoned).toBeGreaterThan(1);
  expect(warnings).toEqual([
    ["records of processes were lost: there are no events of them", { lost: abandoned }],
  ]);
});

test("a thread that follows another one knows what that had counted of the kernel's losses", async () => {
  await thread.close();
  const scripts = [
    `self.postMessage({ channel: "started", firstLost: new Map([["exec", 5n]]) });
     const records = { ...data.settings.none, lost: { ...data.settings.none.lost, exec: 3 } };
     self.postMessage({ channel: "statistics", statistics: { outputs: {}, records } });
     setTimeout(() => { throw new Error("broken"); });`,
    `self.postMessage({ channel: "started", firstLost: new Map() });
     self.postMessage({ channel: "log", level: "error", message: "before", fields: data.settings.lostBefore });`,
  ];
  const fields: unknown[] = [];
  const started = await startEventThread({
    // The last one is for the thread that the test plays.
    settings: Object.assign({ ...settings(), export: undefined }, { none: noStatistics }),
    log: { ...log, error: (_, more) => void fields.push(more) },
    onCgroupsGone() {},
    startWorker() {
      const script = `self.onmessage = ({ data }) => { if (data.channel === "start") { ${scripts.shift()} } };`;
      return new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
    },
  });
  thread = must(started);
  await waitFor("the second thread", () => fields.length === 2);
  expect(fields[1]).toEqual({ first: new Map([["exec", 5n]]), told: 3 });
  expect(thread.statistics().records.lost).toMatchObject({ exec: 3 });
});

test("at its end the descriptor of its signal is closed, when no thread waits any more", async () => {
  const count = (): number =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(join("/proc/self/fd", fd)).includes("[eventfd]");
      } catch {
        // It was that of the list itself.
        return false;
      }
    }).length;
  await thread.close();
  // The runtime has some of its own for each thread.
  const most = count();
  for (let at = 0; at < 8; at++) {
    thread = await start();
    await thread.close();
  }
  await waitFor("the end of the descriptors", () => count() <= most);
  thread.removeContainer(1n);
});

test("a thread that cannot start is an error alone", async () => {
  const started = await startEventThread({
    settings: {
      node: { nodeName: "n", clusterName: "", abi: "x64" },
      export: undefined,
      records: { directory: join(cgroup.bpfFs, "nothing"), procfs: "/proc", cgroupRoot: cgroup.hierarchy },
    },
    log,
    onCgroupsGone() {},
  });
  expect(started).toMatchObject({ ok: false, error: expect.stringContaining("no map is pinned") });
  expect(errors).toEqual([]);
});

test("a thread that ends is a problem, and another one goes on with the same containers", async () => {
  await thread.close();
  let starts = 0;
  // It starts, and fails with the first container.
  const script = `self.onmessage = ({ data: { channel } }) => {
    if (channel === "start") self.postMessage({ channel: "started" });
    if (channel === "container.put") throw new Error("broken");
  };`;
  thread = await start(() => {
    starts++;
    return starts > 1
      ? new Worker(new URL("./events-worker.ts", import.meta.url))
      : new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  });
  thread.putContainer(cgroup.container, false);
  cgroup.run("/bin/busybox", "true");
  await waitFor("the problem", () => thread.problem() !== "");
  expect(thread.problem()).toContain("there are no events: ");
  expect(errors).toHaveLength(1);
  await waitFor("the execution", () => thread.statistics().records.events.exec === 1);
  expect([thread.problem(), starts]).toEqual(["", 2]);
});
