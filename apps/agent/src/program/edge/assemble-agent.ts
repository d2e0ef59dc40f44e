// SPDX-License-Identifier: Apache-2.0
// Assembles the agent from its parts.

import { hostname } from "node:os";
import type { NodeOverview } from "@rthooks/explain";
import { toConnectionBounds } from "@rthooks/grpc";
import type { InspectorFacts } from "@rthooks/inspector";
import type { WatchProgress } from "@rthooks/kube";
import { nowNanos } from "@rthooks/log";
import { containerMachine, podMachine } from "@rthooks/machines/pod";
import { registerProcessMetrics, serveMetrics } from "@rthooks/metrics";
import { err, ok, type Result } from "@rthooks/result";
import { readDescriptorLimit } from "@rthooks/sys/descriptors";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { createPluginProblem } from "../../api/core/plugin-problem.ts";
import { createGrpcServer, type GrpcServer } from "../../api/edge/grpc-server.ts";
import { createServing, type Serving } from "../../api/edge/serving.ts";
import type { AgentInfo } from "../../api/wire/info-message.ts";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import type { MeteredWatch } from "../../base/core/agent-state-metrics.ts";
import { awaitAll } from "../../base/core/await-all.ts";
import { systemTime } from "../../base/edge/system-time.ts";
import { createCgroupResolver } from "../../cgroups/edge/cgroup-resolver.ts";
import { findCgroupRoot } from "../../cgroups/edge/find-cgroup-root.ts";
import { openCgroupWatch } from "../../cgroups/edge/watch-cgroups.ts";
import { createDeniedStarts } from "../../containers/core/denied-starts.ts";
import { createLifecycle, type Lifecycle } from "../../containers/core/lifecycle.ts";
import { createShownContainers } from "../../containers/core/shown-containers.ts";
import { createStartObserver } from "../../containers/core/start-observer.ts";
import { createWaitingStarts } from "../../containers/core/waiting-starts.ts";
import { openContainerFinder } from "../../containers/edge/container-finder.ts";
import { openCri } from "../../containers/edge/follow-cri.ts";
import { startSweep } from "../../containers/edge/sweep.ts";
import { toNodeOverview } from "../../explain/core/node-overview.ts";
import { createSourceStates } from "../../explain/core/source-states.ts";
import { MAX_FILTERS } from "../../filter/core/filter-ids.ts";
import { openPolicyFilter, type PolicyFilterOptions } from "../../filter/edge/open-policy-filter.ts";
import { sweepInherited } from "../../filter/edge/sweep-inherited.ts";
import { openPods, type PodsOptions } from "../../pods/edge/open-pods.ts";
import { combineLoaders } from "../../policies/core/combined-loaders.ts";
import { createFilterLoader } from "../../policies/core/filter-loader.ts";
import { noPolicyArchive } from "../../policies/core/policy-archive.ts";
import { createPolicyCommands } from "../../policies/core/policy-commands.ts";
import { createPolicyStore } from "../../policies/core/policy-store.ts";
import { type PolicyWatch, watchPolicies } from "../../policies/edge/kube-policies.ts";
import { openPolicyArchive } from "../../policies/edge/policy-archive.ts";
import { openPolicyFiles } from "../../policies/edge/policy-files.ts";
import { restorePolicies } from "../../policies/edge/restore-policies.ts";
import { followHookLog } from "./follow-hook-log.ts";
import { listProblems as listAllProblems } from "./list-problems.ts";
import { listSources } from "./list-sources.ts";
import { openExplainer } from "./open-explainer.ts";
import { startParseThread } from "./parse-thread.ts";
import { probeKernel } from "./probe-kernel.ts";

export interface AgentOptions extends PodsOptions, Omit<PolicyFilterOptions, "metrics"> {
  /** Empty: metrics are not served. */
  readonly metricsAddress: string;
  /** Undefined: CRI is not used; empty: the endpoint is detected. */
  readonly criEndpoint: string | undefined;
  /** Empty: no inspector. */
  readonly inspectAddress: string;
  readonly inspectTokenFile: string;
  /** Empty: the hook's log is not followed. */
  readonly hookLog: string;
  readonly cgroupRoot: string;
  readonly procfs: string;
  readonly sweepIntervalMs: number;
  readonly failureRetentionMs: number;
  readonly drainTimeoutMs: number;
  /** All flags with their values, for GetInfo. */
  readonly conf: AgentInfo["conf"];
  /** Empty for none. */
  readonly policyFile: string;
  readonly policyDirectory: string;
  /** Directory of policies that were added over gRPC; empty: they are not persisted. */
  readonly policyArchive: string;
  /** Policies are also loaded from the API server. */
  readonly watchesPolicies: boolean;
  readonly allowsChangesOnTcp: boolean;
}

export interface AssembledAgent {
  readonly server: GrpcServer;
  readonly serving: Serving;
}

/** `parts` stops what was started, also after an error. The error is one line. */
export async function assembleAgent(
  options: AgentOptions,
  parts: DisposableStack,
): Promise<Result<AssembledAgent, string>> {
  const { log, version, sweepIntervalMs, criEndpoint } = options;
  const root = findCgroupRoot(options);
  if (!root.ok) return root;
  const cgroupRoot = root.value.path;
  if (options.watchesPolicies && options.kube === undefined) {
    return err("--enable-tracing-policy-crd needs --enable-k8s-api");
  }
  const cri = criEndpoint === undefined ? undefined : openCri({ endpoint: criEndpoint }, log);
  if (cri?.ok === false) return cri;
  if (cri !== undefined) parts.defer(cri.value.close);
  const directories = openDirectoryWatch();
  parts.defer(directories.close);
  const metrics = createAgentMetrics(version);
  const parser = startParseThread();
  parts.defer(parser.close);
  const pods = await openPods(options, parser, directories, metrics.countTooLarge);
  if (!pods.ok) return pods;
  parts.defer(pods.value.close);
  const { client, source, awaitPod } = pods.value;
  parts.defer(
    source.subscribe(({ kind }) => {
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

  /** Undefined until all parts are assembled. */
  let facts: InspectorFacts | undefined;
  const inspector = await openInspectorIfWanted(options, {
    explain: async (containerId) => await facts?.explain(containerId),
    overview: () => facts?.overview(),
  });
  if (!inspector.ok) return inspector;
  parts.defer(inspector.value.close);

  const cgroupResolver = createCgroupResolver(root.value);
  const nestedWatch = openCgroupWatch(directories, cgroupRoot, log, (containerId) =>
    lifecycle.checkCgroup(containerId),
  );
  parts.defer(nestedWatch.close);
  const lifecycle: Lifecycle = createLifecycle({
    podSource: source,
    policyFilter,
    cgroupResolver,
    nestedWatch,
    time: systemTime,
    log,
    failureRetentionMs: options.failureRetentionMs,
    inspect: inspector.value.inspect,
  });
  parts.defer(lifecycle.close);
  parts.defer(startSweep(lifecycle, sweepIntervalMs));
  const isSeen = (): boolean => cgroupResolver.problem() === "";
  parts.defer(sweepInherited({ filter: policyFilter, cgroupRoot, isSeen, intervalMs: sweepIntervalMs }));
  const filterSweep = setInterval(filter.value.sweep, sweepIntervalMs);
  parts.defer(() => clearInterval(filterSweep));

  const filterLoader = createFilterLoader(policyFilter);
  const policies = createPolicyStore(combineLoaders([filterLoader]), filterLoader.filterId);
  const archive =
    options.policyArchive === "" ? ok(noPolicyArchive) : openPolicyArchive(options.policyArchive);
  if (!archive.ok) return archive;
  // Filters of an earlier agent are removed only after every source of policies was read completely.
  const settle = awaitAll(["calls", "files", "API server"], policyFilter.removeUnusedFilters);
  const { policyFile: file, policyDirectory: directory } = options;
  const onRestored = (): void => settle("calls");
  const sources = { policies, parser, log };
  const calls = await restorePolicies({ ...sources, archive: archive.value, onSettled: onRestored });
  parts.defer(calls.close);
  const files = await openPolicyFiles({
    ...{ ...sources, directories, file, directory },
    onSettled: () => settle("files"),
  });
  parts.defer(files.close);
  const onAll = (): void => settle("API server");
  let policyWatch: PolicyWatch | undefined;
  if (!options.watchesPolicies || client === undefined || options.kube === undefined) onAll();
  else {
    const { countTooLarge: onTooLarge } = metrics;
    policyWatch = watchPolicies({
      ...{ ...sources, client, onAll, onTooLarge },
      nodeName: options.kube.nodeName,
    });
    parts.defer(policyWatch.close);
  }

  const finder = openContainerFinder({
    lifecycle,
    podSource: source,
    cgroupRoot,
    intervalMs: sweepIntervalMs,
    fetchCgroupsPath: async (containerId) => await cri?.value.fetchCgroupsPath(containerId),
    log,
  });
  parts.defer(finder.close);
  const listContainers = () => [...lifecycle.list(), ...finder.listMissing()];
  cri?.value.start(finder);

  const descriptors = readDescriptorLimit();
  const plugin = createPluginProblem(() => performance.now());
  const waitingStarts = createWaitingStarts();
  const deniedStarts = createDeniedStarts();
  const shown = createShownContainers(lifecycle, listContainers, waitingStarts, nowNanos);
  const starts = createStartObserver(waitingStarts, deniedStarts, shown.changes, Date.now);
  const hookLog = await followHookLog(options, directories, inspector.value.inspect, deniedStarts);
  parts.defer(hookLog.close);
  const sourceStates = createSourceStates(
    listSources(options, {
      ...{ pods: pods.value, kubePolicies: policyWatch, policyFiles: files, keptPolicies: calls },
      ...{ cri: cri?.value, plugin, hookLog },
      hasPluginReports: () =>
        lifecycle.list().some(({ source: from }) => from === "nri" || from === "synchronize"),
    }),
    Date.now,
  );
  const slowSweep = setInterval(() => {
    policies.retryRefused();
    sourceStates.look();
  }, sweepIntervalMs);
  parts.defer(() => clearInterval(slowSweep));
  const findHealth = () =>
    listAllProblems({
      filter: { ...filter.value, isWanted: options.bpfDirectory !== "" },
      ...{ pods: pods.value, keptPolicies: calls, policyFiles: files, policyWatch },
      ...{
        cri: cri?.value,
        cgroups: cgroupResolver,
        directories,
        containers: finder,
        plugin,
        hookLog,
        descriptors,
      },
    });
  const listProblems = (): readonly string[] => findHealth().map(({ text }) => text);
  const listWatches = () => [...pods.value.progress(), ...(policyWatch?.progress() ?? [])];
  const readOverview = (): NodeOverview =>
    toNodeOverview({
      ...{ atMs: Date.now(), node: options.kube?.nodeName ?? hostname(), version },
      ...{ waiting: waitingStarts.list(), stateOf: (id) => lifecycle.find(id)?.state },
      ...{ denied: deniedStarts.list(Date.now()), containers: listContainers() },
      ...{ policies: policies.list(""), sources: sourceStates.list(), problems: listProblems() },
      criRuntime: cri?.value.name(),
    });
  const explainer = openExplainer(
    {
      ...{ lifecycle, finder, waitingStarts, deniedStarts, policyFilter, policies, filterLoader },
      ...{ podSource: source, hookInvocations: hookLog.invocations },
    },
    parts,
  );
  facts = { explain: explainer.explain, overview: readOverview };
  const serving = createServing(findHealth, () => performance.now());
  if (options.metricsAddress !== "") {
    registerProcessMetrics(metrics.registry);
    const server = await serveMetrics(options.metricsAddress, log, async () =>
      metrics.render({
        serving: await serving.check(),
        isFilterInKernel: isInKernel,
        problems: findHealth(),
        containers: countStates(listContainers()),
        policies: countStates(policies.list("")),
        filterEntries: policyFilter.sizes(),
        filters: policyFilter.filterCounts(),
        failedEntries: policyFilter.failedEntries(),
        maps: filter.value.fill(),
        watches: listWatches().map(toMeteredWatch),
        waitingStarts: waitingStarts.list().length,
        inspectorClients: inspector.value.clients(),
      }),
    );
    if (!server.ok) return err(`--metrics-server ${server.error}`);
    parts.defer(server.value.close);
  }

  // Policies are in force before the first container is reported.
  await policyFilter.settled();
  log.info("agent starts", {
    version,
    pid: process.pid,
    cgroupRoot,
    cgroupMode: root.value.mode,
    pods: options.kube !== undefined ? "API server" : options.podsFile || "hook calls only",
    policyFilter: isInKernel ? options.bpfDirectory : "in memory",
  });
  if (!root.value.isCgroupFileSystem) {
    log.warn("cgroup root is not a cgroup file system: BPF programs see other ids", { cgroupRoot });
  }
  const server = createGrpcServer({
    ...{
      lifecycle: {
        ...lifecycle,
        list: shown.list,
        reportRefused(containerId: string, reason: string) {
          lifecycle.reportRefused(containerId, reason);
          starts.deniedByPlugin(containerId, reason, lifecycle.find(containerId));
        },
      },
      starts,
      changes: shown.changes,
      findExplanations: explainer.find,
      policies,
      policyCommands: createPolicyCommands({ ...sources, archive: archive.value }),
      awaitPod,
      log,
      metrics,
      listProblems,
      reportPluginProblem: plugin.report,
    },
    allowsChangesOnTcp: options.allowsChangesOnTcp,
    bounds: toConnectionBounds(descriptors),
    info: {
      version,
      runtime: `Bun ${Bun.version}`,
      probes: () => ({ ...probeKernel(), policy_filter_maps: isInKernel }),
      conf: options.conf,
    },
  });
  return ok({ server, serving });
}

/** Loaded on demand: most agents run without it. */
async function openInspectorIfWanted(
  { inspectAddress: address, inspectTokenFile: tokenFile, log }: AgentOptions,
  facts: InspectorFacts,
) {
  if (address === "") return ok({ inspect: undefined, clients: () => 0, close: () => {} });
  const { openInspector } = await import("@rthooks/inspector");
  const { hookMachine } = await import("@rthooks/machines/hook/machine");
  const machines = [podMachine, containerMachine, hookMachine];
  return openInspector({ address, tokenFile, program: "tetragon", machines, facts, log });
}

const toMeteredWatch = ({ what, silenceMs, lists }: WatchProgress): MeteredWatch => ({
  ...{ what, lists },
  silenceSeconds: silenceMs === undefined ? undefined : silenceMs / 1000,
});

function countStates(list: readonly { readonly state: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of list) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
