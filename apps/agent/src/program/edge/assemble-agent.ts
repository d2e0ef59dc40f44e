// SPDX-License-Identifier: Apache-2.0
// Assembles the agent from its parts.

import { followConfig } from "@rthooks/config";
import { openServerTls, toConnectionBounds } from "@rthooks/grpc";
import { err, ok, type Result } from "@rthooks/result";
import { readDescriptorLimit } from "@rthooks/sys/descriptors";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { createGrpcServer, type GrpcServer } from "../../api/edge/grpc-server.ts";
import { createServing, type Serving } from "../../api/edge/serving.ts";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import { findCgroupRoot } from "../../cgroups/edge/find-cgroup-root.ts";
import { openCri } from "../../containers/edge/follow-cri.ts";
import { MAX_RULES } from "../../enforcement/core/rule-numbers.ts";
import { openEnforcement } from "../../enforcement/edge/open-enforcement.ts";
import type { EventThread } from "../../events/edge/event-thread.ts";
import { MAX_FILTERS } from "../../filter/core/filter-ids.ts";
import { openPolicyFilter } from "../../filter/edge/open-policy-filter.ts";
import { openPods } from "../../pods/edge/open-pods.ts";
import type { AgentOptions } from "./agent-options.ts";
import { openAgentInspector } from "./open-agent-inspector.ts";
import { type OpenedContainers, openContainers } from "./open-containers.ts";
import { openEvents } from "./open-events.ts";
import { openObservation } from "./open-observation.ts";
import { openPolicies } from "./open-policies.ts";
import { startParseThread } from "./parse-thread.ts";
import { probeKernel } from "./probe-kernel.ts";
import { serveAgentMetrics } from "./serve-agent-metrics.ts";

export interface AssembledAgent {
  readonly server: GrpcServer;
  readonly serving: Serving;
  /** Undefined where there are no events. */
  readonly events: EventThread | undefined;
  /** For an orderly stop: policies are in force no longer, unless they are to stay. */
  endEnforcement(): Promise<void>;
}

/** `parts` stops what was started, also after an error. The error is one line. */
export async function assembleAgent(
  options: AgentOptions,
  parts: DisposableStack,
): Promise<Result<AssembledAgent, string>> {
  const { log, version, sweepIntervalMs, criEndpoint } = options;
  const root = findCgroupRoot(options);
  if (!root.ok) return root;
  if (options.watchesPolicies && options.kube === undefined) {
    return err("--enable-tracing-policy-crd needs --enable-k8s-api");
  }
  const cri = criEndpoint === undefined ? ok(undefined) : openCri({ endpoint: criEndpoint }, log);
  if (!cri.ok) return cri;
  if (cri.value !== undefined) parts.defer(cri.value.close);
  const directories = openDirectoryWatch();
  parts.defer(directories.close);
  if (options.config !== undefined) {
    const followed = followConfig(options.config, directories, log);
    parts.defer(() => void followed.close());
  }
  const tls =
    options.serverTls === undefined
      ? ok(undefined)
      : await openServerTls(options.serverTls, directories, log);
  if (!tls.ok) return tls;
  if (tls.value !== undefined) parts.defer(tls.value.close);
  const metrics = createAgentMetrics(version);
  const parser = startParseThread();
  parts.defer(parser.close);
  const pods = await openPods(options, parser, directories, metrics.countTooLarge);
  if (!pods.ok) return pods;
  parts.defer(pods.value.close);
  const { client, source: podSource, awaitPod } = pods.value;
  parts.defer(
    podSource.subscribe(({ kind }) => {
      if (kind !== "unlisted") metrics.countPod(kind === "deleted" ? "delete" : "update");
      if (client !== undefined) metrics.countWatcherEvent();
    }),
  );

  const filter = openPolicyFilter({ ...options, metrics });
  if (!filter.ok) return filter;
  parts.defer(filter.value.close);
  const { filter: policyFilter, isInKernel } = filter.value;
  const { perNamespace, forCluster } = options.filterLimits;
  metrics.setFilterLimits({
    ...{ node: MAX_FILTERS, namespace: perNamespace, namespaces: MAX_FILTERS - forCluster },
  });

  const kernel = await openEnforcement(options, root.value);
  parts.defer(kernel.close);
  const { enforcement } = kernel;
  const rules = options.ruleLimits;
  metrics.setRuleLimits({
    ...{ node: MAX_RULES, namespace: rules.perNamespace, namespaces: MAX_RULES - rules.forCluster },
  });

  const opened = await openPolicies(
    options,
    { policyFilter, enforcement, parser, directories, client, metrics },
    parts,
  );
  if (!opened.ok) return opened;
  const { policies, policyCommands, policyWatch } = opened.value;
  const inspector = await openAgentInspector(options, parts);
  if (!inspector.ok) return inspector;
  const { inspect } = inspector.value;
  const onCgroupsGone = (cgroupIds: readonly bigint[]): void => {
    for (const cgroupId of cgroupIds) containers.checkCgroup(cgroupId);
  };
  const events = await openEvents(options, root.value, kernel.directory, onCgroupsGone, parts);
  if (!events.ok) return events;
  const { thread } = events.value;
  enforcement.policies.follow((started) =>
    thread?.putRules(
      started.map(
        ({ number, report, hookNames, rule: { effects } }) =>
          [number, { report, hookNames, effects }] as const,
      ),
    ),
  );
  const containers: OpenedContainers = openContainers(
    options,
    {
      ...{ root: root.value, podSource, policyFilter, enforcement, events: events.value },
      ...{ inspect, cri: cri.value },
    },
    parts,
  );
  const { lifecycle } = containers;
  const sweep = setInterval(() => {
    filter.value.sweep();
    kernel.sweep();
    events.value.sweep();
    void policies.retryRefused();
  }, sweepIntervalMs);
  parts.defer(() => clearInterval(sweep));

  if (thread !== undefined) {
    metrics.followOutputs(() => ({ ...thread.statistics().outputs, clients: thread.streams.size }));
  }
  const descriptors = readDescriptorLimit();
  const observation = await openObservation(
    options,
    {
      ...{ pods: pods.value, filter: filter.value, inspector: inspector.value, directories, descriptors },
      ...{ containers, policies: opened.value, cri: cri.value, events: events.value, enforcement: kernel },
      serverTls: tls.value,
    },
    parts,
  );
  const { plugin, waitingStarts, starts, shown, explainer, findHealth, listContainers } = observation;
  const serving = createServing(findHealth, () => performance.now(), tls.value !== undefined);
  const metered = await serveAgentMetrics(
    options,
    metrics,
    {
      ...{
        filter: filter.value,
        enforcement: kernel,
        findServing: serving.check,
        findHealth,
        listContainers,
      },
      listPolicies: () => policies.list(""),
      listWatches: () => [...pods.value.progress(), ...(policyWatch?.progress() ?? [])],
      countWaiting: () => waitingStarts.list().length,
      countInspectorClients: inspector.value.clients,
      eventStatistics: events.value.statistics,
    },
    parts,
  );
  if (!metered.ok) return metered;

  // Policies are in force before the first container is reported.
  await policyFilter.settled();
  log.info("agent starts", {
    ...{ version, pid: process.pid },
    ...{ cgroupRoot: root.value.path, cgroupMode: root.value.mode },
    pods: options.kube !== undefined ? "API server" : options.podsFile || "hook calls only",
    policyFilter: isInKernel ? options.bpfDirectory : "in memory",
    enforcement: enforcement.state,
  });
  if (!root.value.isCgroupFileSystem) {
    const { path: cgroupRoot } = root.value;
    log.warn("cgroup root is not a cgroup file system: BPF programs see other ids", { cgroupRoot });
  }
  const server = createGrpcServer({
    ...{ starts, changes: shown.changes, findExplanations: explainer.find, awaitPod, log, metrics },
    ...{ policies, policyCommands, enforcement, reportPluginProblem: plugin.report },
    ...{ events: events.value.thread?.streams, logLevel: options.logLevel },
    lifecycle: {
      ...lifecycle,
      list: shown.list,
      reportRefused(containerId: string, reason: string) {
        lifecycle.reportRefused(containerId, reason);
        starts.deniedByPlugin(containerId, reason, lifecycle.find(containerId));
      },
    },
    listProblems: () => findHealth().map(({ text }) => text),
    ...{ allowsChangesOnTcp: options.allowsChangesOnTcp, tls: tls.value },
    bounds: toConnectionBounds(descriptors),
    info: {
      version,
      runtime: `Bun ${Bun.version}`,
      probes: async () => ({
        ...{ ...probeKernel(), ...(await kernel.probes()) },
        policy_filter_maps: isInKernel,
      }),
      conf: options.conf,
    },
  });
  const endEnforcement = async (): Promise<void> => {
    if (!options.keepsSensors) await kernel.end();
  };
  return ok({ server, serving, events: events.value.thread, endEnforcement });
}
