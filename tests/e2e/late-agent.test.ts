// SPDX-License-Identifier: Apache-2.0
// An agent that comes up within the deadline is found; how often the hook looks is held by its machine's own tests.
import { afterAll, expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { createServer } from "node:net";
import { createStaleSocket } from "../harness/fake-agents.ts";
import { containerdAnnotations, createSpec, renderState, writeSpec } from "../harness/hook.ts";
import { startProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("late");
afterAll(() => workspace.close());

let count = 0;

/** Milliseconds from a socket's first moment of listening to the hook's connection. */
async function measureFinding(socketPath: string, latenessMs: number): Promise<number> {
  const name = `h${++count}`;
  const bundle = writeSpec(
    workspace.path(name),
    createSpec(containerdAnnotations({ uid: "u", namespace: "shop", name })),
  );
  const hook = startProcess(
    [
      ...[findHook(), "createRuntime", "--log-fname", workspace.path(`${name}.log`)],
      ...["--grpc-address", `unix://${socketPath}`],
    ],
    { stdin: renderState(bundle) },
    workspace,
  );
  await Bun.sleep(latenessMs);
  const server = createServer();
  const found = new Promise<number>((resolve) => server.once("connection", () => resolve(performance.now())));
  // The agent makes its socket elsewhere and renames it too, over a stale one as well.
  const listening = new Promise<void>((resolve) => server.listen(`${socketPath}.new`, resolve));
  await listening;
  const listeningMs = performance.now();
  renameSync(`${socketPath}.new`, socketPath);
  const tookMs = (await found) - listeningMs;
  hook.signal("SIGKILL");
  await hook.exited;
  server.close();
  return tookMs;
}

test.each([
  { name: "no socket before", stale: false },
  { name: "a dead agent's socket before", stale: true },
])(
  "a late agent is found: $name",
  async ({ name, stale }) => {
    const tookMs: number[] = [];
    for (const latenessMs of [5, 50, 150, 400, 800, 1_200, 2_000]) {
      const socketPath = stale ? await createStaleSocket(workspace) : workspace.path(`${++count}.sock`);
      tookMs.push(await measureFinding(socketPath, latenessMs));
    }
    console.log(`found after ms (${name}): ${tookMs.map((ms) => ms.toFixed(0)).join(" ")}`);
    expect(tookMs).toHaveLength(7);
  },
  60_000,
);
