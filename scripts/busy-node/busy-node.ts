// SPDX-License-Identifier: Apache-2.0
// A node under load, to look at: a real agent with its inspector and policies, real runc containers that come, go, are
// replaced and are denied, and an API server that plays a cluster: it has the pods of jobs only after their containers start.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Agent, startAgent } from "../../tests/harness/agent.ts";
import { mountBpfFs } from "../../tests/harness/bpf-fs.ts";
import { removeCgroup } from "../../tests/harness/cgroup.ts";
import { createHeldBundle, type HeldBundleOptions } from "../../tests/harness/held-bundle.ts";
import { findInspectorAddress } from "../../tests/harness/inspector-address.ts";
import { startKubeApi } from "../../tests/harness/kube-api.ts";
import { writeKubeconfig } from "../../tests/harness/kubeconfig.ts";
import { createRunc } from "../../tests/harness/runc.ts";
import type { Workspace } from "../../tests/harness/workspace.ts";
import { createJobPod, type NodePod, services } from "./node-pods.ts";

export interface BusyNode {
  readonly agent: Agent;
  /** Of the inspector: host:port. */
  readonly address: string;
  /** Parent of all cgroups. */
  readonly cgroupParent: string;
  /** Containers that were started so far. */
  starts(): number;
  /** Resolves when no container runs any more, and none starts. Then the workspace can be closed. */
  stop(): Promise<void>;
}

export interface BusyNodeOptions {
  /** host:port */
  readonly inspectAddress: string;
  /** Between the starts of jobs. */
  readonly jobEveryMs: number;
  /** How long containers of services run; those of jobs run a tenth of it. */
  readonly serviceMs: number;
}

/** Three that act on every kernel, and two that need what many nodes do not have. */
const policies = [
  ...["kubelet-port", "no-netcat", "special-files"].map((name) => join(import.meta.dir, "policies", name)),
  ...["watch-secrets", "enforce-by-list"].map((name) =>
    join(import.meta.dir, "..", "..", "tests", "policy", "policies", name),
  ),
];
/** What a container does each second that these policies are about. */
const forbidden =
  "busybox nc -w 1 127.0.0.1 10250; /bin/nc; busybox mknod /dev/pipe p && busybox rm /dev/pipe";
/** The hook's log then has the steps of each invocation. */
const traced = ["--log-level", "debug"];

export async function runBusyNode(workspace: Workspace, options: BusyNodeOptions): Promise<BusyNode> {
  const { inspectAddress, jobEveryMs, serviceMs } = options;
  const runc = createRunc(workspace);
  const policyDirectory = workspace.path("policies");
  mkdirSync(policyDirectory);
  for (const path of policies) copyFileSync(`${path}.yaml`, join(policyDirectory, `${basename(path)}.yaml`));
  const api = startKubeApi(workspace);
  for (const pod of services) api.put(pod);
  const hookLog = workspace.path("hook.log");
  const agent = await startAgent(workspace, {
    flags: [
      ...["--inspect-address", inspectAddress, "--hook-log", hookLog],
      ...["--tracing-policy-dir", policyDirectory],
      ...["--enable-k8s-api", "--node-name", "node-1"],
      ...["--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--hook-log", hookLog],
      ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
    ],
  });
  const address = await findInspectorAddress(agent.process);
  const ended = new AbortController();
  let starts = 0;

  const rest = (ms: number): Promise<void> =>
    setTimeout(ms, undefined, { signal: ended.signal }).catch(() => {});

  /** Resolves when it has ended, or was denied. */
  const runContainer = async (
    pod: NodePod,
    runMs: number,
    more: Partial<HeldBundleOptions> = {},
  ): Promise<void> => {
    const id = toContainerId(++starts);
    const [container = ""] = pod.name.split("-");
    const script = `n=0; while [ ! -e /out/end ] && [ $n -lt ${Math.round(runMs / 100)} ]; do
      [ $((n % 10)) != 5 ] || { ${forbidden}; } >/dev/null 2>&1; sleep 0.1; n=$((n+1)); done`;
    const bundle = createHeldBundle(workspace, runc, {
      ...{ id, pod, container, image: `registry.example/${pod.namespace}/${container}:1.4` },
      ...{ agentAddress: agent.address, hookLog, hookFlags: traced, script },
      ...more,
      hookFlags: ["--log-level", "debug", ...(more.hookFlags ?? [])],
    });
    copyFileSync("/bin/busybox", join(bundle.dir, "rootfs", "bin", "nc"));
    const running = runc.start(bundle);
    const end = (): void => void Bun.write(join(bundle.outDir, "end"), "");
    ended.signal.addEventListener("abort", end);
    await running.exited;
    ended.signal.removeEventListener("abort", end);
    rmSync(bundle.dir, { recursive: true, force: true });
  };

  const runService = async (pod: NodePod, at: number): Promise<void> => {
    for (let round = 0; !ended.signal.aborted; round++) {
      await runContainer(pod, serviceMs * (0.6 + ((at * 3 + round) % 5) / 5));
      await rest(300);
    }
  };

  /** Of eight, one has a pod that the API server does not know, and one has a hook that reaches no agent: both are denied. */
  const runJob = async (number: number): Promise<void> => {
    const pod = createJobPod(number);
    const isUnknown = number % 8 === 3;
    const isWithoutAgent = number % 8 === 6;
    const noAgent = {
      agentAddress: `unix://${workspace.path("no.sock")}`,
      hookFlags: [...traced, "--grpc-timeout", "1s"],
    };
    const runMs = (serviceMs / 10) * (0.5 + (number % 3) / 2);
    const running = runContainer(pod, runMs, isWithoutAgent ? noAgent : {});
    await rest(200 + (number % 4) * 250);
    if (!isUnknown) api.put(pod);
    await running;
    await rest(1000);
    api.delete(pod.uid);
    removeCgroup(`${runc.cgroupParent}/pod${pod.uid}`);
  };

  const runJobs = async (): Promise<void> => {
    const running = new Set<Promise<void>>();
    for (let number = 1; !ended.signal.aborted; number++) {
      const job = runJob(number);
      running.add(job);
      const forget = (): void => void running.delete(job);
      void job.then(forget, forget);
      await rest(jobEveryMs);
    }
    await Promise.all(running);
  };

  /** New releases: labels of running pods change, and what policies select with them. */
  const changeLabels = async (): Promise<void> => {
    for (let round = 0; !ended.signal.aborted; round++) {
      await rest(8000);
      const pod = services[round % 2];
      if (pod !== undefined) api.put({ ...pod, labels: { ...pod.labels, release: `v${round + 2}` } });
    }
  };

  const work = Promise.all([...services.map(runService), runJobs(), changeLabels()]);
  return {
    ...{ agent, address, cgroupParent: runc.cgroupParent },
    starts: () => starts,
    async stop() {
      ended.abort();
      await work;
    },
  };
}

const toContainerId = (number: number): string =>
  new Bun.CryptoHasher("sha256").update(`container ${number}`).digest("hex");
