// SPDX-License-Identifier: Apache-2.0
// The tutorial of docs/enforcement.md, run as it stands: with namespaces of its own in place of a machine of its own.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createWorkspace } from "../harness/workspace.ts";
import { preparePodmanNode } from "./node/podman-node.ts";
import { findBlocks } from "./pages/find-blocks.ts";
import { type BlocksRun, runBlocks } from "./pages/run-blocks.ts";
import { readText } from "./text/documents.ts";

const workspace = createWorkspace("tutor");
afterAll(() => workspace.close(), 60_000);

const text = readText("docs/enforcement.md");
const tutorial = text.slice(text.indexOf("\n## Tutorial"));
const blocks = findBlocks(tutorial.slice(0, tutorial.indexOf("\n## ", 4)));

let run: BlocksRun;
beforeAll(async () => {
  expect(blocks.length).toBeGreaterThan(6);
  run = await runBlocks(workspace, blocks, preparePodmanNode(workspace));
}, 180_000);

/** What the commands of a block have written. */
const outputOf = (part: string): string =>
  run.blocks.find(({ commands }) => commands.includes(part))?.printed ?? "";

test("every command succeeds", () => {
  expect(run.finished.exitCode === 0 ? "" : run.finished.stdout.slice(-3_000)).toBe("");
  expect(run.blocks).toHaveLength(blocks.length);
});

test("without the policy both programs run", () => {
  const output = outputOf("in_shop()");
  expect(output).toContain("Linux\n");
  expect(output).toContain("0::/");
});

test("with it the one is denied, and the other runs", () => {
  const output = outputOf('echo "denied');
  expect(output).not.toContain("Linux\n");
  expect(output).toContain("denied: exit code 137");
  expect(output).toContain("0::/");
});
