// SPDX-License-Identifier: Apache-2.0
// Runs the agent as its flags say.

import { hostname } from "node:os";
import { resolve } from "node:path";
import { loadFlags, logFlagNotes } from "@rthooks/config";
import { parseHealthInterval } from "@rthooks/grpc/health-flags";
import { parseServerTls } from "@rthooks/grpc/server-tls-flags";
import { createLogWriter, toLogFormat, toLogLevel } from "@rthooks/log";
import { raisePriority } from "@rthooks/sys/priority";
import { parseRuleLimits } from "../../enforcement/core/rule-limits.ts";
import { toExportSettings } from "../../events/wire/to-export-settings.ts";
import { parseFilterLimits } from "../../filter/core/filter-limits.ts";
import { runAgent } from "../../program/edge/run-agent.ts";
import { waitForSignal } from "../../program/edge/signals.ts";
import { agentFlags } from "../core/flag-tables.ts";
import { foreignFlags } from "../core/reference-flags.ts";
import { fail, showHelp, showVersion } from "./command-output.ts";

/** Ends the process, or returns the exit code where the agent does not start. */
export async function serveAgent(argv: readonly string[], version: string): Promise<number> {
  const loaded = await loadFlags({
    ...{ table: agentFlags, foreign: foreignFlags, argv, hint: "see tetragon --help" },
    ...{ environment: process.env, prefix: "TETRAGON_" },
  });
  if (!loaded.ok) return fail(loaded.error);
  const { flags, positionals, config, locate } = loaded.value;
  if (flags.help) return await showHelp("");
  if (flags.version) return await showVersion([], version);
  const [stray] = positionals;
  if (stray !== undefined) return fail(`unknown command ${JSON.stringify(stray)}; see tetragon --help`);
  const filterLimits = parseFilterLimits(flags);
  if (!filterLimits.ok) return fail(locate(filterLimits.error));
  const ruleLimits = parseRuleLimits(flags);
  if (!ruleLimits.ok) return fail(locate(ruleLimits.error));
  const healthIntervalMs = parseHealthInterval(flags["health-server-interval"]);
  if (!healthIntervalMs.ok) return fail(locate(healthIntervalMs.error));
  const hasTcp = flags["server-address"].some((text) => !text.startsWith("unix:"));
  const serverTls = parseServerTls(flags, hasTcp);
  if (!serverTls.ok) return fail(locate(serverTls.error));
  const exportPath = flags["export-filename"] === "" ? "" : resolve(flags["export-filename"]);
  const eventExport = toExportSettings({ ...flags, "export-filename": exportPath }, () => performance.now());
  if (!eventExport.ok) return fail(locate(eventExport.error));
  const format = toLogFormat(flags["log-format"]);
  const level = flags.debug ? "debug" : toLogLevel(flags["log-level"]);
  const log = createLogWriter(process.stderr.fd, format, level);
  process.on("exit", log.flush);
  logFlagNotes(loaded.value, "Tetragon", log);
  if (flags["enable-export-aggregation"]) {
    log.warn("--enable-export-aggregation has no effect: the events of this agent are not aggregated");
  }
  const nodeNameInCluster = flags["node-name"] || (process.env["NODE_NAME"] ?? "");
  const signal = waitForSignal(log);
  raisePriority();
  const agent = await runAgent({
    serverAddresses: flags["server-address"],
    infoFile: flags["info-file"],
    podsFile: flags["pods-file"],
    kube: flags["enable-k8s-api"]
      ? {
          kubeconfigPath: flags["k8s-kubeconfig-path"],
          nodeName: nodeNameInCluster,
          podWaitMs: flags["pod-wait"],
        }
      : undefined,
    metricsAddress: flags["metrics-server"],
    healthAddress: flags["health-server-address"],
    healthIntervalMs: healthIntervalMs.value,
    criEndpoint: flags["enable-cri"] ? flags["cri-endpoint"] : undefined,
    cgroupRoot: flags["cgroup-root"],
    procfs: flags.procfs,
    bpfDirectory: flags["enable-policy-filter"] ? resolve("/sys/fs/bpf", flags["bpf-dir"]) : "",
    filterLimits: filterLimits.value,
    ruleLimits: ruleLimits.value,
    keepsSensors: flags["keep-sensors-on-exit"],
    hasReverseMap: flags["enable-policy-filter-cgroup-map"],
    policyFile: flags["tracing-policy"],
    policyDirectory: flags["tracing-policy-dir"],
    watchesPolicies: flags["enable-tracing-policy-crd"],
    serverTls: serverTls.value,
    allowsChangesOnTcp: flags["server-tcp-allow-changes"],
    policyArchive: flags["persist-grpc-policies"] ? flags["persist-dir"] : "",
    clusterName: flags["cluster-name"],
    nodeName: nodeNameInCluster || hostname(),
    eventExport: eventExport.value,
    logLevel: log,
    inspectAddress: flags["inspect-address"],
    inspectTokenFile: flags["inspect-token-file"],
    hookLog: flags["hook-log"],
    sweepIntervalMs: flags["sweep-interval"],
    failureRetentionMs: flags["failure-retention"],
    drainTimeoutMs: flags["drain-timeout"],
    version,
    config,
    conf: Object.fromEntries(
      Object.entries(flags).map(([name, value]) => [
        name,
        typeof value === "boolean" ? value : String(value),
      ]),
    ),
    log,
  });
  if (!agent.ok) {
    await log.drain();
    process.exit(fail(locate(agent.error)));
  }
  await signal;
  if (await agent.value.stop()) log.info("stopped");
  else log.warn("stopped with unanswered calls after --drain-timeout");
  await log.drain();
  process.exit(0);
}
