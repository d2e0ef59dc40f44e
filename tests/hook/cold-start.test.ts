// SPDX-License-Identifier: Apache-2.0
// What the runtime compiles during one invocation of the compiled hook. Each function that is called often enough
// to be compiled costs the process about half a millisecond; see libs/proto/src/unary/bytes.ts.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";

const hook = join(import.meta.dir, "../../dist/tetragon-oci-hook");
const cgroupsPath = `/rthooks-test-cold-${process.pid}`;
const contained = Bun.spawn(["/bin/sleep", "600"]);
let directory = "";
const server = new Server();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "rthooks-cold-"));
  mkdirSync(findCgroupDirectory(cgroupsPath));
  writeFileSync(join(findCgroupDirectory(cgroupsPath), "cgroup.procs"), String(contained.pid));
  const bytes = (value: Buffer): Buffer => value;
  server.addService(
    {
      RuntimeHook: {
        path: "/tetragon.FineGuidanceSensors/RuntimeHook",
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    {
      RuntimeHook: (_call: unknown, reply: (error: null, answer: Buffer) => void) =>
        reply(null, Buffer.alloc(0)),
    },
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${directory}/agent.sock`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
});
afterAll(async () => {
  contained.kill("SIGKILL");
  await contained.exited;
  removeCgroup(cgroupsPath);
  server.forceShutdown();
  rmSync(directory, { recursive: true, force: true });
});

const id = "c1".repeat(32);

/** What CRI-O writes of a pod, the longest way to an identity. */
const crio = {
  "io.container.manager": "cri-o",
  "io.kubernetes.cri-o.ContainerID": id,
  "io.kubernetes.cri-o.ImageName": "registry.example.org/web:1",
  "io.kubernetes.cri-o.Metadata": '{"name":"app","attempt":1}',
  "io.kubernetes.cri-o.SandboxName": "k8s_web-0_shop_5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11_0",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.pod.namespace": "shop",
  "io.kubernetes.pod.uid": "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11",
};

/** About what a kubelet's container has: 25 mounts with three options each, 20 annotations. */
const spec = {
  root: { path: "rootfs" },
  annotations: Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`example.com/annotation-${i}`, "x".repeat(30)]),
  ),
  mounts: Array.from({ length: 25 }, (_, i) => ({
    destination: `/mnt/${i}`,
    type: "bind",
    source: "/var/lib/kubelet",
    options: ["rbind", "rprivate", "ro"],
  })),
  linux: { cgroupsPath },
};

/** On the hook's own thread: another one may not have come to it when the hook ends, on a busy machine. */
async function listCompiled(
  annotations: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<readonly string[]> {
  const written = { ...spec, annotations: { ...spec.annotations, ...annotations } };
  writeFileSync(join(directory, "config.json"), JSON.stringify(written));
  const child = Bun.spawn([hook, ...args, "--log-fname", join(directory, "hook.log")], {
    stdin: new Blob([JSON.stringify({ id: "c", pid: contained.pid, bundle: directory })]),
    stdout: "pipe",
    stderr: "pipe",
    env: { BUN_JSC_reportBaselineCompileTimes: "1", BUN_JSC_useConcurrentJIT: "0" },
  });
  const printed = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(await child.exited).toBe(0);
  return printed.join("").match(/Optimized .*? using Baseline/g) ?? [];
}

test.each([
  { runtime: "no known runtime", annotations: {} },
  { runtime: "CRI-O", annotations: crio },
])("a container of $runtime that the agent lets go compiles nothing", async ({ annotations }) => {
  // About what Tetragon's chart gives it.
  const flags = [
    ...["--grpc-address", `unix://${directory}/agent.sock`, "--grpc-timeout=10s", "--log-level=info"],
    ...["--fail-allow-namespaces", "kube-system,tetragon", "--annotations-namespace-key=example.org/ns"],
  ];
  expect(await listCompiled(annotations, "createRuntime", ...flags)).toEqual([]);
});

test("the runtime would have told", async () => {
  const patterns = [
    "--fail-allow-namespaces-regex=^(a|b){1,20}$",
    "--fail-allow-namespaces-regex=[a-z]+[0-9]*",
  ];
  expect(
    await listCompiled(
      {},
      "createRuntime",
      "--disable-grpc",
      "--fail-cel-expr=size(annotations) > 1",
      ...patterns,
    ),
  ).not.toEqual([]);
});
