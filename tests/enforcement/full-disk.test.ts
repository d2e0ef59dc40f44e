// SPDX-License-Identifier: Apache-2.0
// The built agent with an export file on a disk that is full: containers and policies are not affected, what is not in the
// file is counted, and the file goes on when there is room.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../harness/agent.ts";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { runProcess } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { readValue, scrape } from "../harness/promtool.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createShopContainer, forbidPaths, toShopPolicy } from "./shop-container.ts";

const workspace = createWorkspace("full-disk");
const { cgroup, run, startAgent } = createShopContainer(workspace);
const metrics = workspace.path("metrics.sock");
const disk = workspace.path("disk");
const exportFile = join(disk, "events.json");
const ballast = join(disk, "ballast");
let agent: Agent;

beforeAll(async () => {
  mkdirSync(disk);
  const mounted = await runProcess([findTool("mount"), "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]);
  if (mounted.exitCode !== 0) throw new Error(mounted.stderr);
  workspace.onClose(() => runProcess([findTool("umount"), "--lazy", disk]));
  writeFileSync(ballast, new Uint8Array(128 * 1024));
  agent = await startAgent(join(mountBpfFs(workspace), "full-disk"), [
    ...["--export-filename", exportFile, "--metrics-server", `unix://${metrics}`],
    // Without the line that once a minute says how many are missing.
    ...["--export-allowlist", '{"event_set":["PROCESS_EXEC","PROCESS_EXIT"]}'],
  ]);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

/** By the agent's own counters. */
async function readCounts() {
  const text = await scrape(metrics);
  const read = (series: string): number => readValue(text, `tetragon_${series}`) ?? 0;
  const [started, ended] = ["EXEC", "EXIT"].map((type) => read(`events_total{type="PROCESS_${type}"}`));
  const [exported, failed] = [read("events_exported_total"), read("export_failed_events_total")];
  return { events: (started ?? 0) + (ended ?? 0), exported, failed };
}

/** The lines of the file. Throws where one is not whole. */
function readLines(): readonly unknown[] {
  const text = readFileSync(exportFile, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Two events each. */
const runPrograms = (count: number): void => {
  for (let at = 0; at < count; at++) expect(run("/bin/true").exitCode).toBe(0);
};
/** Each event is in the file or counted. */
async function expectAllCounted(events: number): Promise<void> {
  await waitFor("the events", async () => (await readCounts()).events >= events, 60_000);
  const { exported, failed } = await waitFor("the file", async () => {
    const now = await readCounts();
    return now.exported + now.failed >= now.events && now;
  });
  expect(exported + failed).toBe((await readCounts()).events);
  expect(readLines()).toHaveLength(exported);
}

test("containers are reported and policies are in force; lines are whole, and what is missing is counted", async () => {
  await waitFor(
    "a full disk",
    async () => {
      runPrograms(20);
      return (await readCounts()).failed > 0;
    },
    60_000,
  );
  expect(readLines().length).toBeGreaterThan(0);
  const uid = crypto.randomUUID();
  const cgroupsPath = join(cgroup, "..", "..", `pod${uid}`, uid.replaceAll("-", "").repeat(2));
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  await callRuntimeHook(agent.address, {
    ...{ podUID: uid, podName: "web-1", podNamespace: "shop", cgroupsPath, containerID: uid },
  });
  expect((await agent.containers()).map(({ podName }) => podName).sort()).toEqual(["web-0", "web-1"]);
  await callPolicies(agent.address).add(toShopPolicy("no-false", forbidPaths("/usr/bin/false")));
  expect(run("/bin/false").signal).toBe("SIGKILL");
  await callPolicies(agent.address).delete("no-false");
  const { events } = await readCounts();
  runPrograms(20);
  await expectAllCounted(events + 40);
}, 120_000);

test("the file goes on by itself when there is room", async () => {
  const before = await readCounts();
  rmSync(ballast);
  runPrograms(20);
  await expectAllCounted(before.events + 40);
  const after = await readCounts();
  expect(after.failed).toBe(before.failed);
  expect(after.exported).toBeGreaterThanOrEqual(before.exported + 40);
}, 120_000);
