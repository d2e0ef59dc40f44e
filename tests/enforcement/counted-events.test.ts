// SPDX-License-Identifier: Apache-2.0
// More events than the ring buffer has room for: each one is in the export file or counted as lost, exactly.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { readValue, scrape } from "../harness/promtool.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createShopContainer, toShopPolicy } from "./shop-container.ts";

const workspace = createWorkspace("counted");
const { run, startAgent } = createShopContainer(workspace);
const metrics = workspace.path("metrics.sock");
const exportFile = workspace.path("events.json");
let bpfFs: string;
let agent: Agent;

const postConnections = {
  kprobes: [
    {
      ...{ call: "security_socket_connect", syscall: false, args: [{ index: 1, type: "sockaddr" }] },
      selectors: [{ matchActions: [{ action: "Post" }] }],
    },
  ],
};

beforeAll(async () => {
  bpfFs = mountBpfFs(workspace);
  agent = await startAgent(join(bpfFs, "counted"), [
    ...["--export-filename", exportFile, "--export-file-max-size-mb", "100000"],
    ...["--field-filters", '{"fields":"policy_name"}', "--metrics-server", `unix://${metrics}`],
  ]);
  await callPolicies(agent.address).add(toShopPolicy("posting", postConnections));
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const script = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for at in range(int(sys.argv[1])): s.connect(("127.0.0.1", 9))`;
function connect(times: number): void {
  const { exitCode, stderr } = run("/usr/bin/python3", "-c", script, String(times));
  if (exitCode !== 0) throw new Error(stderr);
}

/** Lines of matches in the file, each of which is whole. */
const countWritten = (): number =>
  readFileSync(exportFile, "utf8")
    .split("\n")
    .slice(0, -1)
    .filter((line) => JSON.parse(line).process_kprobe?.policy_name === "posting").length;

interface Counts {
  /** Matches that are in the file, as the agent counts them; the lines of the file are counted at the end. */
  readonly reported: number;
  readonly lost: number;
}

async function readCounts(): Promise<Counts> {
  const text = await scrape(metrics);
  const read = (series: string): number => readValue(text, `tetragon_${series}`) ?? 0;
  return {
    reported: read('events_total{type="PROCESS_KPROBE"}'),
    lost: read('bpf_missed_events_total{msg_op="MSG_OP_GENERIC_KPROBE",error="EAGAIN"}'),
  };
}

/** Waits until as many matches are reported or counted as were made since `before`; more of them are an error. */
async function account(before: Counts, made: number): Promise<Counts> {
  let [reported, lost] = [0, 0];
  await waitFor(
    "all matches, reported or counted",
    async () => {
      const now = await readCounts();
      [reported, lost] = [now.reported - before.reported, now.lost - before.lost];
      return reported + lost >= made;
    },
    60_000,
  ).catch((error) => {
    throw new Error(`of ${made} matches ${reported} were reported and ${lost} counted as lost`, {
      cause: error,
    });
  });
  expect(reported + lost).toBe(made);
  return { reported, lost };
}

test("of what comes while nothing is read, the file has what the ring buffer has held", async () => {
  const made = 60_000;
  const before = await readCounts();
  agent.process.signal("SIGSTOP");
  try {
    connect(made);
  } finally {
    agent.process.signal("SIGCONT");
  }
  const { reported, lost } = await account(before, made);
  expect(lost).toBeGreaterThan(0);
  expect(reported).toBeGreaterThan(0);
  await waitFor("the lines", () => countWritten() === reported);
}, 120_000);

test("of what comes faster than it is read, each one is in the file or counted", async () => {
  const [before, written] = [await readCounts(), countWritten()];
  connect(400_000);
  const { reported } = await account(before, 400_000);
  expect(reported).toBeGreaterThan(0);
  await waitFor("the lines", () => countWritten() - written === reported);
}, 120_000);

test("what is in the ring buffer when the agent is asked to end is in the file", async () => {
  const written = countWritten();
  agent.process.signal("SIGSTOP");
  connect(25_000);
  agent.process.signal("SIGTERM");
  agent.process.signal("SIGCONT");
  await agent.process.exited;
  expect(countWritten() - written).toBe(25_000);
}, 120_000);
