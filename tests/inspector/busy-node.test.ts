// SPDX-License-Identifier: Apache-2.0
// `make inspect`: real containers are seen through the inspector, and after Ctrl-C nothing is left of it.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { findCgroupDirectories } from "../harness/cgroup.ts";
import { minimalEnv, startProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("busy");
afterAll(() => workspace.close());

const script = join(import.meta.dir, "..", "..", "scripts", "inspect.ts");

/** Processes whose command line has this text, by id. */
function findProcesses(text: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false; // It ended meanwhile.
    }
  });
}

const readContext = (event: StatelyInspectionEvent, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    event.type === "@xstate.snapshot" ? event.snapshot : undefined,
  );

test("its containers start, end and are denied, and Ctrl-C removes all of them", async () => {
  const dir = workspace.path("tmp");
  mkdirSync(dir);
  // In a process group of its own, which gets the signal as a terminal's does.
  const made = startProcess(
    ["/usr/bin/setsid", process.execPath, script, "--address", "127.0.0.1:0"],
    { env: { ...minimalEnv, TMPDIR: dir } },
    workspace,
  );
  workspace.onClose(async () => {
    if (!made.hasExited()) process.kill(-made.pid, "SIGINT");
    await made.exited;
  });
  const [, address = ""] = await waitFor(
    "the address",
    () => /Open http:\/\/([\d.:]+)\/\n/.exec(made.stdout()),
    60_000,
  );
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://${address}` }).subscribe((event) => received.push(event));
  const sees = (machine: string, state: string) =>
    received.some(
      (event) =>
        Reflect.get(event, "machine") === machine &&
        event.type === "@xstate.snapshot" &&
        readContext(event, "value") === state,
    );
  for (const state of ["released", "gone"]) {
    await waitFor(`a container that is ${state}`, () => sees("container", state), 60_000);
  }
  await waitFor("a hook that denies its container", () => sees("hook", "denied"), 60_000);
  await waitFor("a pod of the API server", () => sees("pod", "confirmed"), 60_000);
  const paths = received.map((event) => String(readContext(event, "context", "report", "cgroupsPath")));
  const [parent = ""] = paths.flatMap((path) => /^\/[^/]+/.exec(path)?.[0] ?? []);
  expect(findCgroupDirectories(parent)).not.toEqual([]);
  expect(findProcesses(dir)).not.toEqual([]);
  process.kill(-made.pid, "SIGINT");
  const { exitCode, stderr } = await made.exited;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(findProcesses(dir)).toEqual([]);
  expect(findCgroupDirectories(parent)).toEqual([]);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(dir);
  expect(readdirSync(dir)).toEqual([]);
  expect(existsSync(`/proc/${made.pid}`)).toBe(false);
}, 240_000);
