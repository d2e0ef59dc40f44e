// SPDX-License-Identifier: Apache-2.0
// The agent from its start to its end.

import type { ApiClient } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { createLifecycle, type Lifecycle } from "../core/lifecycle.ts";
import { annotationsOnly, type PodSource } from "../core/pod-source.ts";
import { createPolicyStore } from "../core/policy-store.ts";
import {
  isLoopback,
  parseServerAddress,
  renderServerAddress,
  type ServerAddress,
} from "../core/server-address.ts";
import type { AgentInfo } from "../wire/info-message.ts";
import { createCgroupResolver, findCgroupRoot } from "./cgroup-resolver.ts";
import { openContainerFinder } from "./container-finder.ts";
import { openCriRuntime } from "./cri-runtime.ts";
import { followCri } from "./follow-cri.ts";
import { createGrpcServer } from "./grpc-server.ts";
import { type KubePods, type KubePodsOptions, openKubePods } from "./kube-pods.ts";
import { watchPolicies } from "./kube-policies.ts";
import { openPolicyFilter } from "./open-policy-filter.ts";
import { openPodsFile } from "./pods-file.ts";
import { noPolicyArchive, openPolicyArchive } from "./policy-archive.ts";
import { openPolicyFiles } from "./policy-files.ts";
import { startSweep } from "./sweep.ts";
import { sweepInherited } from "./sweep-inherited.ts";
import { openCgroupWatch } from "./watch-cgroups.ts";

export interface AgentOptions {
  readonly serverAddresses: readonly string[];
  /** Empty: pods are known by their hook calls only. */
  readonly podsFile: string;
  /** Undefined: nobody asks the API server. */
  readonly kube: Pick<KubePodsOptions, "kubeconfigPath" | "nodeName" | "podWaitMs"> | undefined;
  /** Undefined: no runtime is asked; empty: the one that is found. */
  readonly criEndpoint: string | undefined;
  readonly cgroupRoot: string;
  readonly procfs: string;
  readonly sweepIntervalMs: number;
  readonly failureRetentionMs: number;
  readonly drainTimeoutMs: number;
  readonly version: string;
  /** The flags, for whoever asks. */
  readonly conf: AgentInfo["conf"];
  readonly log: Logger;
  /** Empty: policies are kept in memory, and enforced by nobody. */
  readonly bpfDirectory: string;
  /** Empty for none. */
  readonly policyFile: string;
  readonly policyDirectory: string;
  /** Of policies that come by calls; empty: they are gone with the agent. */
  readonly policyArchive: string;
  /** Also from the API server, as objects of their own kinds. */
  readonly watchesPolicies: boolean;
}

export interface Agent {
  readonly addresses: readonly ServerAddress[];
  /** Takes no new calls and answers those that run; true when all were answered in time. */
  stop(): Promise<boolean>;
}

/** Listening when this returns; the error is one line for people, and nothing is left running then. */
export async function runAgent(options: AgentOptions): Promise<Result<Agent, string>> {
  const { log, version } = options;
  if (options.serverAddresses.length === 0)
    return err("--server-address is empty: nobody could reach the agent");
  const addresses: ServerAddress[] = [];
  for (const text of options.serverAddresses) {
    const address = parseServerAddress(text);
    if (!address.ok) return address;
    addresses.push(address.value);
  }
  const root = findCgroupRoot(options);
  if (!root.ok) return root;
  if (options.watchesPolicies && options.kube === undefined) {
    return err("--enable-tracing-policy-crd needs --enable-k8s-api");
  }
  const { criEndpoint } = options;
  const runtime = criEndpoint === undefined ? undefined : openCriRuntime(criEndpoint);
  if (runtime?.ok === false) return runtime;
  const pods = openPods(options);
  if (!pods.ok) return pods;
  const { client, source, awaitPod, close: closePods } = pods.value;

  const opened = openPolicyFilter(options.bpfDirectory, log);
  if (!opened.ok) return opened;
  const { filter: policyFilter, problem, close: closeFilter } = opened.value;
  const cgroupWatch = openCgroupWatch(root.value.path, log, (containerId) =>
    lifecycle.checkAlive(containerId),
  );
  const lifecycle: Lifecycle = createLifecycle({
    podSource: source,
    policyFilter,
    cgroupResolver: createCgroupResolver(root.value),
    nestedWatch: cgroupWatch,
    log,
    failureRetentionMs: options.failureRetentionMs,
  });
  const policies = createPolicyStore(policyFilter);
  const archive =
    options.policyArchive === "" ? ok(noPolicyArchive) : openPolicyArchive(options.policyArchive, log);
  if (!archive.ok) {
    closePods();
    closeFilter();
    return archive;
  }
  archive.value.restore(policies);
  const server = createGrpcServer({
    ...{ lifecycle, policies, archive: archive.value, awaitPod, log, problem },
    info: {
      version,
      runtime: `Bun ${Bun.version}`,
      probes: { policy_filter_maps: options.bpfDirectory !== "" && problem === undefined },
      conf: options.conf,
    },
  });
  const finder = openContainerFinder({
    lifecycle,
    podSource: source,
    cgroupRoot: root.value.path,
    intervalMs: options.sweepIntervalMs,
    locate: async (containerId) => await runtime?.value.locate(containerId),
    log,
  });
  const stopCri = runtime === undefined ? () => {} : followCri(runtime.value, finder, log);
  const stopSweep = startSweep(lifecycle, options.sweepIntervalMs);
  const stopInheritance = sweepInherited(policyFilter, root.value.path, options.sweepIntervalMs);
  const { policyFile: file, policyDirectory: directory } = options;
  const closePolicyFiles = openPolicyFiles({ file, directory, policies, log });
  // Which of an earlier agent's are still wanted is known when all are.
  if (!options.watchesPolicies) policyFilter.settlePolicies();
  const closePolicyWatch =
    options.watchesPolicies && client !== undefined
      ? watchPolicies(client, policies, log, policyFilter.settlePolicies)
      : () => {};
  const stop = async (): Promise<boolean> => {
    const isDrained = await server.drain(options.drainTimeoutMs);
    stopCri();
    finder.close();
    stopSweep();
    stopInheritance();
    closePolicyFiles();
    closePolicyWatch();
    closePods();
    lifecycle.close();
    cgroupWatch.close();
    closeFilter();
    return isDrained;
  };

  log.info("agent starts", {
    version,
    pid: process.pid,
    cgroupRoot: root.value.path,
    cgroupMode: root.value.mode,
    pods: options.kube !== undefined ? "from the API server" : options.podsFile || "from hook calls only",
    policyFilter: options.bpfDirectory === "" || problem !== undefined ? "in memory" : options.bpfDirectory,
  });
  if (!root.value.isCgroupFileSystem) {
    log.warn("the cgroup root is no cgroup file system: its ids mean nothing to the kernel", {
      cgroupRoot: root.value.path,
    });
  }
  const listening: ServerAddress[] = [];
  for (const address of addresses) {
    const bound = await server.listen(address);
    if (!bound.ok) {
      await stop();
      return bound;
    }
    listening.push(bound.value);
    log.info("listening", { address: renderServerAddress(bound.value) });
    if (address.kind === "tcp" && !isLoopback(address)) {
      log.warn("anyone who reaches this address may call: there is no TLS and no authentication", {
        address: renderServerAddress(bound.value),
      });
    }
  }
  return ok({ addresses: listening, stop });
}

interface OpenedPods {
  /** Undefined where there is no API server. */
  readonly client: ApiClient | undefined;
  readonly source: PodSource;
  readonly awaitPod: KubePods["awaitPod"];
  close(): void;
}

function openPods({ kube, podsFile, version, log }: AgentOptions): Result<OpenedPods, string> {
  if (kube !== undefined && podsFile !== "") {
    return err("--enable-k8s-api and --pods-file exclude each other: who would be right?");
  }
  if (kube !== undefined) return openKubePods({ ...kube, version, log });
  const awaitPod = () => undefined;
  if (podsFile === "") return ok({ client: undefined, source: annotationsOnly, awaitPod, close: () => {} });
  return ok({ ...openPodsFile(podsFile, log), client: undefined, awaitPod });
}
