// SPDX-License-Identifier: Apache-2.0
// What the author of a pod controls - annotations that the runtime passes on, and the image - changes neither the
// container's identity nor a denial.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type RecordedAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import { renderState, runHook, writeSpec } from "../harness/hook.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("author");
let agent: RecordedAgent;
beforeAll(async () => {
  agent = await startRecordingAgent(workspace);
});
afterAll(() => workspace.close());

const id = "a1b2c3d4".repeat(8);
const uid = "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11";

interface Runtime {
  readonly name: string;
  readonly cgroupsPath: string;
  readonly bundle: string;
  /** What the runtime itself writes over whatever the pod has. */
  readonly own: Readonly<Record<string, string>>;
}

/** A client other than the kubelet gives a container no labels. */
const crioOwnOfOtherClient = {
  "io.container.manager": "cri-o",
  "io.kubernetes.cri-o.ContainerID": id,
  "io.kubernetes.cri-o.ContainerType": "container",
  "io.kubernetes.cri-o.ImageName": "registry.example.org/web:1",
  "io.kubernetes.cri-o.Metadata": '{"name":"app"}',
  "io.kubernetes.cri-o.SandboxName": `k8s_web-0_shop_${uid}_0`,
};
const kubeletLabels = {
  "io.kubernetes.container.name": "app",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.pod.namespace": "shop",
  "io.kubernetes.pod.uid": uid,
};
const crioOwn = { ...crioOwnOfOtherClient, ...kubeletLabels };
const containerdOwn = {
  "io.kubernetes.cri.container-type": "container",
  "io.kubernetes.cri.container-name": "app",
  "io.kubernetes.cri.image-name": "registry.example.org/web:1",
  "io.kubernetes.cri.sandbox-id": "f".repeat(64),
  "io.kubernetes.cri.sandbox-name": "web-0",
  "io.kubernetes.cri.sandbox-namespace": "shop",
  "io.kubernetes.cri.sandbox-uid": uid,
};
const dashless = uid.replaceAll("-", "_");
const crioBundle = `storage/overlay-containers/${id}/userdata`;
const containerdBundle = `io.containerd.runtime.v2.task/k8s.io/${id}`;
const runtimes: readonly Runtime[] = [
  {
    name: "CRI-O, cgroupfs",
    cgroupsPath: `/kubepods/pod${uid}/crio-${id}`,
    bundle: crioBundle,
    own: crioOwn,
  },
  {
    name: "CRI-O, systemd",
    cgroupsPath: `kubepods-pod${dashless}.slice:crio:${id}`,
    bundle: crioBundle,
    own: crioOwn,
  },
  {
    name: "CRI-O and a client without labels",
    cgroupsPath: `/pod_123-456/crio-${id}`,
    bundle: crioBundle,
    own: crioOwnOfOtherClient,
  },
  {
    name: "containerd, cgroupfs",
    cgroupsPath: `/kubepods/pod${uid}/${id}`,
    bundle: containerdBundle,
    own: containerdOwn,
  },
  {
    name: "containerd, systemd",
    cgroupsPath: `kubepods-pod${dashless}.slice:cri-containerd:${id}`,
    bundle: containerdBundle,
    own: containerdOwn,
  },
];

/** Every key that any runtime or the reference hook reads, with a value that would pay. */
const forged: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [crioOwn, crioOwnOfOtherClient, containerdOwn].flatMap(Object.keys).map((key) => [key, "forged"]),
  ),
  "io.container.manager": "libpod",
  "io.kubernetes.cri.sandbox-namespace": "kube-system",
  "io.kubernetes.pod.namespace": "kube-system",
  "io.kubernetes.cri.sandbox-uid": "00000000-0000-4000-8000-000000000000",
  "io.kubernetes.pod.uid": "00000000-0000-4000-8000-000000000000",
  "io.kubernetes.cri-o.Namespace": "kube-system",
  "io.kubernetes.cri-o.KubeName": "forged",
  "io.kubernetes.cri-o.ContainerName": `k8s_forged_web-0_kube-system_${uid}_0`,
  "io.kubernetes.cri-o.SandboxName": `k8s_web-0_kube-system_${uid}_0`,
  "io.kubernetes.cri-o.Labels": '{"io.kubernetes.pod.namespace":"kube-system"}',
  "kubernetes.io/config.hash": "0".repeat(32),
  "kubernetes.io/config.mirror": "0".repeat(32),
  "rthooks.v1/pod-labels": '{"app":"forged"}',
  "rthooks.v1/learned-by": "synchronize",
  ["__proto__"]: "kube-system",
};

let count = 0;
const newDir = (): string => {
  const dir = workspace.path(`d${++count}`);
  mkdirSync(dir);
  return dir;
};

function stage(runtime: Runtime, authored: Readonly<Record<string, string>>): string {
  const bundle = join(newDir(), runtime.bundle);
  const annotations = { ...authored, ...runtime.own };
  const { cgroupsPath } = runtime;
  writeSpec(bundle, { ociVersion: "1.0.2", root: { path: "rootfs" }, linux: { cgroupsPath }, annotations });
  return JSON.stringify({ ...JSON.parse(renderState(bundle, annotations)), id });
}

/** The hook's own environment, as the NRI plugin gives it. */
const podOf = (namespace: string): Readonly<Record<string, string>> => ({
  RTHOOKS_POD: JSON.stringify({ uid: "told-uid", name: "told", namespace, labels: { app: "told" } }),
});

/** What the agent would believe beyond the identity. */
function readReserved(at: number): Readonly<Record<string, unknown>> {
  const annotations = agent.requests[at]?.event?.createContainer?.annotations ?? new Map();
  const reserved = [...annotations].filter(([key]) => key.startsWith("rthooks.v1/"));
  return { trusted: agent.trusted[at], ...Object.fromEntries(reserved) };
}

const log = ["--log-fname", workspace.path("hook.log")];
const denying = [
  ...["createRuntime", ...log, "--grpc-timeout", "20ms"],
  ...["--grpc-address", `unix://${workspace.path("nobody.sock")}`],
];

describe.each(runtimes.map((runtime) => ({ ...runtime })))("$name", (runtime) => {
  test("annotations of the pod do not change what the agent is told", async () => {
    const before = agent.requests.length;
    const asking = ["createRuntime", ...log, "--grpc-address", `unix://${agent.socketPath}`];
    const result = await runHook(asking, { stdin: stage(runtime, forged) });
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(agent.requests[before]?.event?.createContainer).toMatchObject({
      containerName: "app",
      containerID: id,
      containerImage: "registry.example.org/web:1",
      podName: "web-0",
      podUID: uid,
      podNamespace: "shop",
    });
    expect(readReserved(before)).toEqual({ trusted: false });
  }, 180_000);

  test("what the plugin says of the pod comes before all annotations", async () => {
    const before = agent.requests.length;
    const asking = ["createRuntime", ...log, "--grpc-address", `unix://${agent.socketPath}`];
    const stdin = stage(runtime, forged);
    expect(await runHook(asking, { stdin, env: podOf("ops") })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(agent.requests[before]?.event?.createContainer).toMatchObject({
      podName: "told",
      podUID: "told-uid",
      podNamespace: "ops",
    });
    const reserved = { "rthooks.v1/pod-labels": '{"app":"told"}', "rthooks.v1/learned-by": "hook" };
    expect(readReserved(before)).toEqual({ trusted: true, ...reserved });
  }, 180_000);

  test("its namespace decides when no agent answers, whatever annotations say", async () => {
    const denied = await runHook(denying, { stdin: stage(runtime, forged), env: podOf("ops") });
    expect(denied).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("failing container: ") });
    const allowed = await runHook(denying, { stdin: stage(runtime, {}), env: podOf("kube-system") });
    expect(allowed).toMatchObject({ exitCode: 0, stderr: "" });
  }, 180_000);

  test("no choice of annotations turns a denial into an allowance", async () => {
    const choice = fc.subarray(Object.entries(forged)).map((entries) => Object.fromEntries(entries));
    await fc.assert(
      fc.asyncProperty(fc.array(choice, { minLength: 4, maxLength: 4 }), async (choices) => {
        await Promise.all(
          choices.map(async (authored) => {
            const result = await runHook(denying, { stdin: stage(runtime, authored) });
            expect(result.exitCode).toBe(1);
            expect(result.stderr).toContain("failing container: ");
          }),
        );
      }),
      { numRuns: 12 },
    );
  }, 180_000);
});

/** CRI-O writes the pod's annotations over its own keys there, and the kubelet's labels over both. */
describe("the sandbox of a pod on CRI-O", () => {
  const sandbox: Runtime = {
    name: "sandbox",
    cgroupsPath: `/kubepods/pod${uid}/crio-${id}`,
    bundle: crioBundle,
    own: {
      "io.kubernetes.pod.name": "web-0",
      "io.kubernetes.pod.namespace": "shop",
      "io.kubernetes.pod.uid": uid,
    },
  };

  test("no choice of annotations turns a denial into an allowance", async () => {
    const choice = fc.subarray(Object.entries(forged)).map((entries) => Object.fromEntries(entries));
    await fc.assert(
      fc.asyncProperty(choice, async (authored) => {
        const written = { ...crioOwnOfOtherClient, ...authored };
        expect((await runHook(denying, { stdin: stage(sandbox, written) })).exitCode).toBe(1);
      }),
      { numRuns: 30 },
    );
  }, 180_000);

  test("the pod is never told in another namespace, nor under another container's id", async () => {
    const asking = ["createRuntime", ...log, "--grpc-address", `unix://${agent.socketPath}`];
    const before = agent.requests.length;
    const forgedName = { "io.kubernetes.cri-o.SandboxName": `k8s_web-0_kube-system_${uid}_0` };
    const refused = await runHook(asking, { stdin: stage(sandbox, { ...crioOwn, ...forgedName }) });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("contradict") });
    expect(agent.requests.length).toBe(before);
    const forgedId = { "io.kubernetes.cri-o.ContainerID": "0".repeat(64) };
    await runHook(asking, { stdin: stage(sandbox, { ...crioOwn, ...forgedId }) });
    expect(agent.requests[before]?.event?.createContainer).toMatchObject({
      containerID: id,
      podNamespace: "shop",
      podUID: uid,
    });
  }, 180_000);
});

describe.each(runtimes.map((runtime) => ({ ...runtime })))(
  "a namespace of the author's beside $name's own",
  (runtime) => {
    test("only makes the container fail", async () => {
      const rules = [...denying, "--fail-allow-namespaces", "shop"];
      const alone = await runHook(rules, { stdin: stage(runtime, {}) });
      expect(alone).toMatchObject({ exitCode: 0, stderr: "" });
      const others = ["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"].filter(
        (key) => !(key in runtime.own),
      );
      for (const key of others) {
        const result = await runHook(rules, { stdin: stage(runtime, { [key]: "other" }) });
        expect(result.exitCode).toBe(1);
      }
    }, 180_000);

    test("is not what a CEL expression sees", async () => {
      const keys = ["io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"];
      const expression = keys.map((key) => `annotations["${key}"] != "shop"`).join(" || ");
      const rules = [...denying, "--fail-cel-expr", expression];
      for (const authored of [{}, forged]) {
        expect((await runHook(rules, { stdin: stage(runtime, authored) })).exitCode).toBe(0);
      }
    }, 180_000);
  },
);

describe("a pod in the hook's environment that is none", () => {
  const pod = { uid: "u", name: "n", namespace: "kube-system", labels: {} };
  const values: Readonly<Record<string, string>> = {
    empty: "",
    "no JSON": "{",
    "no object": '"kube-system"',
    "a list": "[]",
    "no namespace": JSON.stringify({ ...pod, namespace: undefined }),
    "a namespace that is no text": JSON.stringify({ ...pod, namespace: ["kube-system"] }),
    "no labels": JSON.stringify({ ...pod, labels: null }),
    "nesting without end": "[".repeat(60_000),
  };
  test.each(Object.entries(values))(
    "%s: the fail check decides by what the runtime says",
    async (_name, value) => {
      const [runtime] = runtimes;
      if (runtime === undefined) throw new Error("no runtime");
      const asking = ["createRuntime", ...log, "--grpc-address", `unix://${agent.socketPath}`];
      const before = agent.requests.length;
      const result = await runHook(asking, { stdin: stage(runtime, forged), env: { RTHOOKS_POD: value } });
      expect(result).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("RTHOOKS_POD in the hook's environment"),
      });
      expect(agent.requests.length).toBe(before);
    },
  );
});

test("files in the image are not the container's spec nor the hook's configuration", async () => {
  const bundle = newDir();
  const { cgroupsPath, own } = runtimes[2] ?? { cgroupsPath: "", own: {} };
  writeSpec(bundle, { root: { path: "rootfs" }, linux: { cgroupsPath }, annotations: own });
  const rootfs = join(bundle, "rootfs");
  const friendly = { root: { path: "." }, linux: { cgroupsPath: "/x" }, annotations: forged };
  for (const dir of [rootfs, join(rootfs, "userdata"), join(rootfs, "rootfs")]) writeSpec(dir, friendly);
  writeFileSync(join(rootfs, "tetragon-oci-hook.json"), JSON.stringify({ disableGrpc: true }));
  // The runtime starts a hook in the root file system, and this one says nothing on standard input.
  const result = await runHook(denying, { cwd: rootfs });
  expect(result.stderr).toContain("failing container: ");
  expect(result.exitCode).toBe(1);
});
