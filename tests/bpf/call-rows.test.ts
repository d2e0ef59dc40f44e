// SPDX-License-Identifier: Apache-2.0
// The programs of system calls, called by the one that all calls pass: several for one call, changes during a storm of calls,
// the next agent, and what an earlier version has left.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet } from "@rthooks/bpf";
import type { ArgumentReading, HookPoint } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";
import { compilePrograms } from "./compile-programs.ts";
import { arg, call, type Hooks, openHooks, run, text, toProgram } from "./open-hooks.ts";

const workspace = createWorkspace("rows");
let opened: Hooks;
let container: string;
beforeAll(() => {
  opened = openHooks(workspace);
  ({ container } = opened);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => opened.reset());

const cgroupRoot = findCgroupDirectory("/");
const rmdir = (...readings: readonly ArgumentReading[]): HookPoint =>
  call("rmdir", ...readings.map((reading, at) => arg(5 + at, reading)));
const pins = (): readonly string[] =>
  readdirSync(opened.directory).filter((name) => /-[0-9a-f]{16}$/.test(name));
const remove = (times: number): string => `for _ in range(${times}): libc.rmdir(b"/nowhere")`;

test("a call in several rows is judged once by each of their programs, and by no other", () => {
  const lists = [rmdir("string"), rmdir("uint64"), rmdir()];
  opened.count(...lists, call("chroot", arg(5, "int32")));
  expect(run(container, remove(100))).toBe("end");
  expect(opened.counted(0, 1, 2, 3)).toEqual([100n, 100n, 100n, 0n]);
  expect(run(opened.neighbour, remove(100))).toBe("end");
  expect(opened.counted(0, 1, 2, 3)).toEqual([100n, 100n, 100n, 0n]);
});

test("as many lists as there are rows can be read of one call, and one more is an error", () => {
  const readings: readonly ArgumentReading[] = ["int32", "uint32", "int64", "uint64", "int16", "uint16"];
  const all = readings.flatMap((one) => readings.map((other) => rmdir(one, other)));
  opened.count(...all.slice(0, 32));
  expect(run(container, remove(10))).toBe("end");
  expect(opened.counted(...all.slice(0, 32).keys())).toEqual(Array(32).fill(10n));
  expect(opened.hooks.attach(rmdir("string"))).toEqual({
    ...{ ok: false, error: expect.stringContaining("32 different lists of arguments") },
  });
}, 120_000);

test("no call is missed while rows come and go", async () => {
  opened.count(rmdir("string"));
  const [kept] = must(opened.hooks.attached());
  const calls = 200_000;
  const procs = join(findCgroupDirectory(container), "cgroup.procs");
  const storm = Bun.spawn([
    ...["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', procs, ...toProgram(remove(calls))],
  ]);
  let hasEnded = false;
  const ended = storm.exited.then(() => {
    hasEnded = true;
  });
  let turns = 0;
  while (!hasEnded || turns === 0) {
    for (const other of [rmdir("uint64"), rmdir("int32"), rmdir()]) must(opened.hooks.attach(other));
    await Bun.sleep(5);
    must(opened.hooks.detachUnused([kept?.hookId ?? 0]));
    turns++;
  }
  await ended;
  expect(opened.counted(0)).toEqual([BigInt(calls)]);
}, 120_000);

/** A bpf file system with what an agent has left that attached rmdir and mkdir and was killed; their numbers. */
function leaveHooks(other: Workspace): { readonly bpfFs: string; readonly ids: readonly number[] } {
  const bpfFs = mountBpfFs(other);
  const script = join(import.meta.dir, "fixtures", "attach-hooks.ts");
  const words = [process.execPath, script, join(bpfFs, "enforcement"), cgroupRoot, "rmdir", "mkdir"];
  const killed = Bun.spawnSync(words);
  expect([killed.signalCode, killed.stderr.toString()]).toEqual(["SIGKILL", ""]);
  return { bpfFs, ids: killed.stdout.toString().trim().split("\n").map(Number) };
}

test("programs of an agent that was killed are still called, and the next one adopts them", async () => {
  const other = createWorkspace("killed");
  try {
    // Only pins keep the map of programs now, which the kernel empties when nothing keeps it.
    const { bpfFs, ids } = leaveHooks(other);
    const next = openHooks(other, bpfFs);
    const before = readdirSync(next.directory);
    next.kill(ids[0] ?? 0, text("arg0", "exact", "/nowhere"));
    expect(run(next.container, remove(1))).toBe("SIGKILL");
    expect(must(next.hooks.attach(rmdir("string")))).toBe(ids[0] ?? 0);
    expect(readdirSync(next.directory)).toEqual(before);
    expect(run(next.container, remove(1))).toBe("SIGKILL");
  } finally {
    await other.close();
  }
}, 60_000);

test("programs of an earlier version go when all of their calls are judged by the next one", async () => {
  const other = createWorkspace("earlier");
  try {
    const { bpfFs, ids } = leaveHooks(other);
    const directory = join(bpfFs, "enforcement");
    // As that version leaves it: a program attached for each list, and entries of hooks whose calls have no rows.
    for (const name of readdirSync(directory))
      if (/^(dispatch|judge)_call/.test(name)) rmSync(join(directory, name));
    for (const name of ["call_rows", "call_programs"]) rmSync(join(directory, name));
    const object = compilePrograms(
      other,
      "earlier",
      'SEC("raw_tracepoint/sys_enter") int judge_call(void *ctx) { return 0; }',
    );
    const earlier = must(openProgramSet({ object, directory, cgroupRoot }));
    const attach = { kind: "raw_tracepoint", event: "sys_enter" } as const; // const: a kind of place
    must(earlier.attach("judge_call", { name: "0", attach, constants: new Map() }));
    earlier.close();
    const names = (): readonly string[] =>
      readdirSync(directory)
        .filter((name) => /^(dispatch|judge)_call/.test(name))
        .map((name) => name.slice(0, -17));
    expect(names()).toEqual(["judge_call-0"]);
    const next = openHooks(other, bpfFs);
    next.kill(ids[0] ?? 0, text("arg0", "exact", "/nowhere"));
    expect(run(next.container, remove(1))).toBe("end");
    must(next.hooks.attach(call("mkdir", arg(5, "string"))));
    expect(names().toSorted()).toEqual(["dispatch_call-all", "judge_call_row-0"]);
    expect(run(next.container, remove(1))).toBe("SIGKILL");
  } finally {
    await other.close();
  }
}, 60_000);

test("nothing is attached, and no program is in the map, when no rule is about a system call", () => {
  opened.count(rmdir("string"), rmdir("uint64"));
  expect(pins()).toHaveLength(3);
  opened.reset();
  expect(pins()).toEqual([]);
  const words = ["-j", "map", "dump", "pinned", join(opened.directory, "call_programs")];
  expect(
    Bun.spawnSync([findTool("bpftool"), ...words])
      .stdout.toString()
      .trim(),
  ).toBe("[]");
});
