// SPDX-License-Identifier: Apache-2.0
// Events of real processes in a real cgroup.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet, type ProgramSet } from "@rthooks/bpf";
import { embeddedProcessPrograms } from "@rthooks/bpf/embedded-programs";
import { must } from "@rthooks/result/must";
import type { AgentEvent } from "../core/agent-event.ts";
import { type EventCgroup, openEventCgroup } from "./event-cgroup.fixture.ts";
import { type EventPump, openEventPump } from "./event-pump.ts";

const names = ["tell_exec", "tell_exit", "tell_fork", "tell_cgroup_gone"];
let cgroup: EventCgroup;
let programs: ProgramSet;
let pump: EventPump;
const events: AgentEvent[] = [];

beforeAll(() => {
  cgroup = openEventCgroup();
  const directory = join(cgroup.bpfFs, "enforcement");
  programs = must(
    openProgramSet({ object: embeddedProcessPrograms(), directory, cgroupRoot: cgroup.hierarchy }),
  );
  for (const name of names) must(programs.attach(name));
  const consumer = { publish: (event: AgentEvent) => void events.push(event), flush() {} };
  const source = { directory, procfs: "/proc", cgroupRoot: cgroup.hierarchy };
  pump = must(
    openEventPump({ ...source, nodeName: "n", consumer, lostBefore: undefined, onCgroupsGone() {} }),
  );
  pump.putContainer(cgroup.container, false);
});
afterAll(() => {
  pump.close();
  for (const name of names) programs.detach(name);
  programs.close();
  cgroup.close();
});
beforeEach(() => {
  readAll();
  events.length = 0;
});

function readAll(): readonly AgentEvent[] {
  while (pump.move()) {}
  return events;
}

test("a process of the container is told with its program and its end", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  cgroup.run("/bin/busybox", "sh", "-c", "exit 3");
  const after = BigInt(Date.now() + 1) * 1_000_000n;
  const [exec, exit, ...more] = readAll();
  expect(more).toEqual([]);
  expect(exec).toMatchObject({
    kind: "exec",
    process: {
      ...{ binary: "/usr/bin/busybox", arguments: 'sh -c "exit 3"', cwd: process.cwd(), uid: 0 },
      ...{ flags: ["execve", "clone"], container: cgroup.container },
    },
    // This test's own process, which is older than the pump and in no container.
    parent: { pid: process.pid, flags: ["procFS"], container: undefined },
  });
  expect(exit).toMatchObject({
    kind: "exit",
    status: 3,
    signal: "",
    process: { binary: "/usr/bin/busybox" },
  });
  // The clock of the node may be set a little in between.
  const slack = 50_000_000n;
  for (const event of [exec, exit]) {
    expect(event?.timeNs).toBeGreaterThan(before - slack);
    expect(event?.timeNs).toBeLessThan(after + slack);
  }
});

test("a process that forks without a program has its parent's, and an id of its own", () => {
  const script = "import os\npid = os.fork()\nif pid == 0: os._exit(4)\nos.waitpid(pid, 0)";
  cgroup.run("/usr/bin/python3", "-c", script);
  const [exec, child, parent] = readAll();
  const execOf = (event: AgentEvent | undefined): string =>
    event === undefined || event.kind === "lost" ? "" : event.process.execId;
  expect(child).toMatchObject({
    kind: "exit",
    status: 4,
    process: { binary: expect.stringContaining("/python3"), flags: ["clone"], parentExecId: execOf(exec) },
    parent: { execId: execOf(exec) },
  });
  expect(new Set([exec, child].map(execOf)).size).toBe(2);
  expect(execOf(parent)).toBe(execOf(exec));
});

test("many forks are told, and another process after them", () => {
  const script = `
import os
for at in range(300):
  pid = os.fork()
  if pid == 0: os._exit(0)
  os.waitpid(pid, 0)`;
  cgroup.run("/usr/bin/python3", "-c", script);
  cgroup.run("/bin/busybox", "true");
  const all = readAll();
  expect(all.filter(({ kind }) => kind === "exit")).toHaveLength(302);
  expect(all.at(-1)).toMatchObject({ kind: "exit", process: { binary: "/usr/bin/busybox" } });
});

test("a process that was there before is read from /proc", async () => {
  for (const name of names) programs.detach(name);
  // The kernel does so a moment later.
  do {
    events.length = 0;
    cgroup.run("/bin/busybox", "true");
  } while (readAll().length > 0);
  const script = `
import os, sys, time
while not os.path.exists(sys.argv[1]): time.sleep(0.005)
pid = os.fork()
if pid == 0: os._exit(4)
os.waitpid(pid, 0)
time.sleep(1000)`;
  const path = `${cgroup.bpfFs}.flag`;
  const started = cgroup.start("/usr/bin/python3", "-c", script, path);
  while (!(await Bun.file(`/proc/${started.pid}/cmdline`).text()).startsWith("/usr/bin/python3"))
    await Bun.sleep(2);
  for (const name of names) must(programs.attach(name));
  readAll();
  events.length = 0;
  writeFileSync(path, "");
  while (readAll().length === 0) await Bun.sleep(2);
  started.kill("SIGKILL");
  await started.exited;
  rmSync(path);
  expect(events).toMatchObject([
    {
      ...{ kind: "exit", status: 4 },
      process: { binary: expect.stringContaining("/python3"), flags: ["clone"] },
      parent: { pid: started.pid, flags: ["procFS"], arguments: expect.stringContaining(path) },
    },
  ]);
});

test("the end of a process that was there before has its program, and its parent's", async () => {
  for (const name of names) programs.detach(name);
  do {
    events.length = 0;
    cgroup.run("/bin/busybox", "true");
  } while (readAll().length > 0);
  const below = join(cgroup.hierarchy, cgroup.container.cgroupPath ?? "", "below");
  mkdirSync(below);
  const first = cgroup.start("/bin/busybox", "sleep", "1000");
  const second = cgroup.start(
    "/bin/busybox",
    "sh",
    "-c",
    'echo $$ >"$0/cgroup.procs"; exec sleep 1001',
    below,
  );
  while (
    [first, second].some(({ pid }) => !readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("sleep\0"))
  )
    await Bun.sleep(2);
  for (const name of names) must(programs.attach(name));
  pump.putContainer(cgroup.container, true);
  readAll();
  for (const started of [first, second]) {
    started.kill("SIGKILL");
    await started.exited;
  }
  rmdirSync(below);
  const parent = { pid: process.pid, flags: ["procFS"], container: undefined };
  const busybox = { binary: "/usr/bin/busybox", flags: ["procFS"], container: cgroup.container };
  expect(readAll()).toMatchObject([
    {
      kind: "exit",
      signal: "SIGKILL",
      process: { ...busybox, pid: first.pid, arguments: "sleep 1000" },
      parent,
    },
    {
      kind: "exit",
      signal: "SIGKILL",
      process: { pid: second.pid, arguments: expect.stringContaining("1001") },
      parent,
    },
  ]);
});
