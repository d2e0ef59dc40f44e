// SPDX-License-Identifier: Apache-2.0
// What filters on the executable say is kept for a running program: until it executes another one, or the rules change.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { copyFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { KernelRule } from "@rthooks/policy";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { call, type Hooks, openHooks, run, toProgram } from "./open-hooks.ts";

const workspace = createWorkspace("binaries");
let opened: Hooks;
beforeAll(() => {
  opened = openHooks(workspace);
});
afterEach(() => opened.reset());
afterAll(() => workspace.close(), 60_000);

type TextFilter = KernelRule["filters"]["texts"][number];
const binary = (match: TextFilter["match"], value: string, isNegated = false) => ({
  texts: [{ facet: "binary", match, values: [value], isNegated } as const], // const: the name of a facet
});
const getppid = call("getppid");

/** On one processor, where the answers of earlier events are. */
interface Caller {
  readonly path: string;
  /** Makes the call; false: it ended the process. */
  act(): Promise<boolean>;
}

async function startCaller(): Promise<Caller> {
  const script = [
    "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})",
    'print("ready", flush=True)',
    'for line in sys.stdin: os.getppid(); print("passed", flush=True)',
  ].join("\n");
  const procs = `${findCgroupDirectory(opened.container)}/cgroup.procs`;
  const enter = ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', procs, ...toProgram(script)];
  const child = Bun.spawn(enter, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  workspace.onClose(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  /** A stream gives what has come, which may be less than a line. Undefined at its end. */
  const readLine = async (): Promise<string | undefined> => {
    while (!rest.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      rest += decoder.decode(value, { stream: true });
    }
    const [line = ""] = rest.split("\n", 1);
    rest = rest.slice(line.length + 1);
    return line;
  };
  expect(await readLine()).toBe("ready");
  return {
    path: readlinkSync(`/proc/${child.pid}/exe`),
    async act() {
      child.stdin.write("\n");
      await child.stdin.flush();
      return (await readLine()) === "passed";
    },
  };
}

test("a rule that comes into force is about programs that were judged before", async () => {
  const caller = await startCaller();
  opened.kill(getppid, binary("exact", "/nowhere"));
  expect([await caller.act(), await caller.act()]).toEqual([true, true]);
  opened.reset();
  opened.kill(getppid, binary("exact", caller.path));
  expect(await caller.act()).toBe(false);
});

test("an answer for one rule is none for the next one with its number", async () => {
  const caller = await startCaller();
  opened.kill(getppid, binary("exact", caller.path, true));
  expect([await caller.act(), await caller.act()]).toEqual([true, true]);
  opened.reset();
  opened.kill(getppid, binary("exact", "/nowhere"));
  expect(await caller.act()).toBe(true);
});

test("the program that a process executes is judged by its own path", () => {
  const other = workspace.path("other-program");
  copyFileSync("/bin/busybox", other);
  const script = `
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.getppid(); os.getppid()
os.execv("${other}", ["sh", "-c", "echo end"])`;
  opened.kill(getppid, binary("exact", "/nowhere"));
  expect(run(opened.container, script)).toBe("end");
  opened.reset();
  opened.kill(getppid, binary("postfix", "/other-program"));
  expect(run(opened.container, script)).toBe("SIGKILL");
});

test("the end of the path is compared, too", async () => {
  const caller = await startCaller();
  opened.kill(getppid, binary("postfix", `-${basename(caller.path)}`));
  expect([await caller.act(), await caller.act()]).toEqual([true, true]);
  opened.reset();
  opened.kill(getppid, binary("postfix", basename(caller.path)));
  expect(await caller.act()).toBe(false);
});
