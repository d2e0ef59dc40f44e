// SPDX-License-Identifier: Apache-2.0
// docs/install/cluster.md against the chart: its commands render, and the pods that it shows are those that are rendered.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { minimalEnv, runProcess } from "../harness/process.ts";
import { findBlocks } from "./pages/find-blocks.ts";
import { readText, root } from "./text/documents.ts";

const blocks = findBlocks(readText("docs/install/cluster.md"));
const installs = blocks.filter(({ commands }) => commands.startsWith("helm install "));
const folder = join(root, ".cache", "helm");

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly unknown[] } } };
}

async function renderWorkloads(commands: string): Promise<readonly Workload[]> {
  if (!existsSync(join(folder, "helm")))
    throw new Error(`${folder}/helm is missing: run \`make test\` first`);
  const line = commands.replace("helm install", "helm template");
  const { exitCode, stdout, stderr } = await runProcess(["/bin/sh", "-c", line], {
    cwd: root,
    env: { ...minimalEnv, PATH: `${folder}:${minimalEnv["PATH"]}` },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Workload | null) // as: the chart's own objects, of which kinds are read first
    .filter((object) => object !== null)
    .filter(({ kind }) => kind === "DaemonSet" || kind === "Deployment");
}

test("the page installs in two ways", () => expect(installs).toHaveLength(2));

test.each(installs.map(({ commands }) => ({ commands, way: /interface=(\S+)/.exec(commands)?.[1] })))(
  "with $way the chart makes the pods that the page shows",
  async ({ commands }) => {
    const shown = blocks.find(({ commands: one }) => one.includes("get pods"))?.output ?? "";
    const pods = shown
      .trim()
      .split("\n")
      .map((line) => line.split(/ +/))
      // Without what Kubernetes adds to the name: one part in a DaemonSet, two in a Deployment.
      .map(([name = "", ready = ""]) => ({
        name: name.replace(/(-[0-9a-f]{10})?-\w{5}$/, ""),
        containers: Number(ready.split("/")[1]),
      }));
    const rendered = (await renderWorkloads(commands)).map(({ metadata, spec }) => ({
      name: metadata.name,
      containers: spec.template.spec.containers.length,
    }));
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    expect(pods.toSorted(byName)).toEqual(rendered.toSorted(byName));
  },
);
