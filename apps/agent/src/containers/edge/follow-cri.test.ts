// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import { ContainerState, RuntimeServiceDefinition } from "@rthooks/proto/cri";
import { err, ok } from "@rthooks/result";
import { registerUnary } from "../../base/wire/service.ts";
import { type CriFollower, openCri } from "./follow-cri.ts";

const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };
let directory: string;
let undo: (() => void)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rth-cri-"));
  undo = [];
});
afterEach(() => {
  for (const one of undo.toReversed()) one();
  rmSync(directory, { recursive: true, force: true });
});

/** A runtime with one container, or one whose CRI plugin is disabled. */
async function startRuntime(path: string, containerId: string | undefined): Promise<Server> {
  const server = new Server();
  const { version, listPodSandbox, listContainers } = RuntimeServiceDefinition.methods;
  const disabled = err({ code: status.UNIMPLEMENTED, details: "unknown service runtime.v1.RuntimeService" });
  const metadata = { uid: "u1", namespace: "shop", name: "web-1" };
  const sandbox = { id: "s1", metadata, labels: new Map<string, string>() };
  registerUnary(
    server,
    RuntimeServiceDefinition,
    version,
    (_, answer) => answer(ok({ runtimeName: "containerd", runtimeVersion: `2.1.${containerId?.at(-1)}` })),
    () => {},
  );
  registerUnary(
    server,
    RuntimeServiceDefinition,
    listPodSandbox,
    (_, answer) => answer(containerId === undefined ? disabled : ok({ items: [sandbox] })),
    () => {},
  );
  registerUnary(
    server,
    RuntimeServiceDefinition,
    listContainers,
    (_, answer) => {
      const container = { id: containerId ?? "", podSandboxId: "s1", metadata: { name: "web" } };
      const unset = { image: undefined, imageRef: "", state: ContainerState.CONTAINER_RUNNING };
      answer(ok({ containers: [{ ...container, ...unset }] }));
    },
    () => {},
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  undo.push(() => server.forceShutdown());
  return server;
}

function follow(options: { readonly endpoint: string; readonly usualSockets?: readonly string[] }) {
  const opened = openCri(options, log);
  if (!opened.ok) throw new Error(opened.error);
  const cri: CriFollower = opened.value;
  const seen: string[] = [];
  undo.push(cri.close);
  cri.start({
    replaceList: (_, containers) => seen.push(...containers.map(({ containerId }) => containerId)),
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) await Bun.sleep(5);
  };
  return { cri, seen, until };
}

test("a runtime that comes late is found, at the endpoint or at one of the usual places", async () => {
  const usual = [join(directory, "a.sock"), join(directory, "b.sock")];
  const named = follow({ endpoint: `unix://${join(directory, "b.sock")}` });
  const searching = follow({ endpoint: "", usualSockets: usual });
  await named.until(() => named.cri.problem().includes("b.sock"));
  await searching.until(() => searching.cri.problem().includes("none of"));
  await startRuntime(join(directory, "b.sock"), "c1");
  for (const one of [named, searching]) {
    await one.until(() => one.seen.includes("c1") && one.cri.name() === "containerd 2.1.1");
    expect(one.cri.problem()).toBe("");
  }
});

test("a runtime that goes away is a problem, and the next one is found, wherever it listens", async () => {
  const usualSockets = [join(directory, "a.sock"), join(directory, "b.sock")];
  const first = await startRuntime(join(directory, "a.sock"), "c1");
  const { cri, seen, until } = follow({ endpoint: "", usualSockets });
  await until(() => seen.includes("c1"));
  first.forceShutdown();
  await until(() => cri.problem() !== "" && cri.name() === "");
  await startRuntime(join(directory, "b.sock"), "c2");
  await until(() => seen.includes("c2") && cri.problem() === "");
});

test("a socket without CRI behind it does not hide the runtime at the next", async () => {
  const usualSockets = [join(directory, "a.sock"), join(directory, "b.sock")];
  await startRuntime(join(directory, "a.sock"), undefined);
  const { cri, seen, until } = follow({ endpoint: "", usualSockets });
  await until(() => cri.problem().includes("does not implement CRI"));
  await startRuntime(join(directory, "b.sock"), "c2");
  await until(() => seen.includes("c2") && cri.problem() === "");
});

test("an invalid endpoint is refused at once", () => {
  expect(openCri({ endpoint: "/run/containerd/containerd.sock" }, log)).toMatchObject({
    ok: false,
    error: expect.stringContaining("--cri-endpoint"),
  });
});
