// SPDX-License-Identifier: Apache-2.0
// Runs what the command line asks for, and returns the exit code.

import { hostname } from "node:os";
import { resolve } from "node:path";
import { parseContainerQuery } from "@rthooks/explain";
import {
  COMPLETE_COMMAND,
  type FlagTable,
  type FlagValues,
  parseArguments,
  resolveFlags,
} from "@rthooks/flags";
import { parseHealthInterval } from "@rthooks/grpc/health-flags";
import { createLogWriter, nowNanos, toLogFormat, toLogLevel } from "@rthooks/log";
import type { Result } from "@rthooks/result";
import { raisePriority } from "@rthooks/sys/priority";
import { renderDocument, type Screen, toOutputFormat, toPrintable } from "@rthooks/terminal";
import { openScreen } from "@rthooks/terminal/screen";
import { isHealthy } from "../../api/core/health.ts";
import { parseServerAddress, type ServerAddress } from "../../base/core/server-address.ts";
import { parseRuleLimits } from "../../enforcement/core/rule-limits.ts";
import { toExportSettings } from "../../events/wire/to-export-settings.ts";
import { parseFilterLimits } from "../../filter/core/filter-limits.ts";
import { runAgent } from "../../program/edge/run-agent.ts";
import { waitForSignal } from "../../program/edge/signals.ts";
import { toEventQuery } from "../core/event-query.ts";
import { renderExplanations, toExplanationsDocument } from "../core/explanation-text.ts";
import {
  agentFlags,
  eventsFlags,
  explainFlags,
  inspectCommandFlags,
  plainFlags,
  statusFlags,
  versionFlags,
  watchFlags,
} from "../core/flag-tables.ts";
import { renderPolicies, toPoliciesDocument } from "../core/policies-table.ts";
import { renderStatus, toStatusDocument } from "../core/status-table.ts";
import type { HelpTopic } from "./help.ts";
import { fetchExplanations, fetchPolicies, fetchStatus } from "./status-client.ts";
import { watchAgents } from "./watch-agents.ts";

export async function runCommand(argv: readonly string[], version: string): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case "status":
      return await show(rest, "status", fetchStatus, {
        lines({ health, containers }, screen) {
          // On stderr: other programs may read the table.
          if (!isHealthy(health)) process.stderr.write(`the agent is ${toPrintable(health)}\n`);
          return renderStatus(containers, nowNanos(), screen);
        },
        document: ({ health, containers }) => toStatusDocument(health, containers),
      });
    case "policies":
      return await show(rest, "policies", fetchPolicies, {
        lines: renderPolicies,
        document: toPoliciesDocument,
      });
    case "explain":
      return await explain(rest);
    case "watch":
      return await watch(rest);
    case "events":
      return await events(rest);
    case "inspect":
      return await inspect(rest);
    case "version":
      return await showVersion(rest, version);
    case "completion":
      return await showCompletion(rest);
    case COMPLETE_COMMAND:
      return await printNames(rest);
    case "help":
      return await showHelp("");
    default:
      return await serve(argv, version);
  }
}

function fail(message: string): number {
  process.stderr.write(`tetragon: ${message}\n`);
  return 1;
}

async function serve(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(agentFlags, argv);
  if (!parsed.ok) return fail(`${parsed.error.message}; see tetragon --help`);
  const [stray] = parsed.value.positionals;
  const flags = resolveFlags(agentFlags, parsed.value.given);
  if (flags.help) return await showHelp("");
  if (flags.version) return await showVersion([], version);
  if (stray !== undefined) return fail(`unknown command ${JSON.stringify(stray)}; see tetragon --help`);
  const filterLimits = parseFilterLimits(flags);
  if (!filterLimits.ok) return fail(filterLimits.error);
  const ruleLimits = parseRuleLimits(flags);
  if (!ruleLimits.ok) return fail(ruleLimits.error);
  const healthIntervalMs = parseHealthInterval(flags["health-server-interval"]);
  if (!healthIntervalMs.ok) return fail(healthIntervalMs.error);
  const exportPath = flags["export-filename"] === "" ? "" : resolve(flags["export-filename"]);
  const eventExport = toExportSettings({ ...flags, "export-filename": exportPath }, () => performance.now());
  if (!eventExport.ok) return fail(eventExport.error);
  const format = toLogFormat(flags["log-format"]);
  const level = toLogLevel(flags["log-level"]);
  const log = createLogWriter(process.stderr.fd, format, level);
  process.on("exit", log.flush);
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
    process.exit(fail(agent.error));
  }
  await signal;
  if (await agent.value.stop()) log.info("stopped");
  else log.warn("stopped with unanswered calls after --drain-timeout");
  await log.drain();
  process.exit(0);
}

type CommandFlags = FlagTable & { readonly help: typeof plainFlags.help };

/** The flags and arguments of a command; the exit code where help or an error was printed instead. */
async function readCommand<Flags extends CommandFlags>(
  topic: Exclude<HelpTopic, "">,
  table: Flags,
  argv: readonly string[],
  maxArguments = 0,
): Promise<{ readonly flags: FlagValues<Flags>; readonly positionals: readonly string[] } | number> {
  const parsed = parseArguments(table, argv);
  if (!parsed.ok) return fail(`${topic}: ${parsed.error.message}; see tetragon ${topic} --help`);
  const { given, positionals } = parsed.value;
  const flags = resolveFlags(table, given);
  if (flags.help) return await showHelp(topic);
  const stray = positionals[maxArguments];
  if (stray !== undefined) return fail(`${topic}: unexpected argument ${JSON.stringify(stray)}`);
  return { flags, positionals };
}

interface Rendering<T> {
  /** For people. */
  lines(value: T, screen: Screen): readonly string[];
  /** Plain JSON, for programs. */
  document(value: T): unknown;
}

/** A command without arguments. */
async function show<T>(
  argv: readonly string[],
  topic: "status" | "policies",
  fetch: (address: ServerAddress, timeoutMs: number) => Promise<Result<T, string>>,
  rendering: Rendering<T>,
): Promise<number> {
  const read = await readCommand(topic, statusFlags, argv);
  return typeof read === "number" ? read : await printAnswer(read.flags, topic, fetch, rendering);
}

async function explain(argv: readonly string[]): Promise<number> {
  const read = await readCommand("explain", explainFlags, argv, 1);
  if (typeof read === "number") return read;
  const [text] = read.positionals;
  if (text === undefined)
    return fail("explain: name a container: NAMESPACE/POD, NAMESPACE/POD/CONTAINER, or a container id");
  const query = parseContainerQuery(text);
  if (!query.ok) return fail(`explain: ${query.error}`);
  return await printAnswer(read.flags, "explain", fetchExplanations(query.value), {
    lines: renderExplanations,
    document: toExplanationsDocument,
  });
}

type AnswerFlags = Pick<FlagValues<typeof statusFlags>, "server-address" | "timeout" | "output">;

/** Prints the answer of the first agent that gives one. */
async function printAnswer<T>(
  flags: AnswerFlags,
  topic: "status" | "policies" | "explain",
  fetch: (address: ServerAddress, timeoutMs: number) => Promise<Result<T, string>>,
  rendering: Rendering<T>,
): Promise<number> {
  const problems: string[] = [];
  for (const text of flags["server-address"]) {
    const address = parseServerAddress(text);
    if (!address.ok) return fail(`${topic}: ${address.error}`);
    const answer = await fetch(address.value, flags.timeout);
    if (answer.ok) {
      const format = toOutputFormat(flags.output);
      process.stdout.write(
        format === "table"
          ? `${rendering.lines(answer.value, openScreen(process.stdout, process.env)).join("\n")}\n`
          : renderDocument(format, rendering.document(answer.value)),
      );
      return 0;
    }
    problems.push(answer.error);
  }
  return fail(problems.length === 0 ? `${topic}: --server-address is empty` : problems.join("\n"));
}

async function watch(argv: readonly string[]): Promise<number> {
  const read = await readCommand("watch", watchFlags, argv);
  if (typeof read === "number") return read;
  const { flags } = read;
  const ended = await watchAgents({
    addresses: flags["server-address"],
    timeoutMs: flags.timeout,
    format: toOutputFormat(flags.output),
    selection: {
      namespaces: flags.namespace,
      pods: flags.pod,
      states: flags.state,
      changesOnly: flags["changes-only"],
    },
  });
  return ended.ok ? 0 : fail(ended.error);
}

async function events(argv: readonly string[]): Promise<number> {
  const read = await readCommand("events", eventsFlags, argv);
  if (typeof read === "number") return read;
  const { flags } = read;
  const query = toEventQuery(flags);
  if (!query.ok) return fail(`events: ${query.error}`);
  const { showEvents } = await import("./events-command.ts");
  const given = parseArguments(eventsFlags, argv);
  const hasAddress = given.ok && given.value.given["server-address"] !== undefined;
  const ended = await showEvents({
    addresses: flags["server-address"],
    timeoutMs: flags.timeout,
    format: toOutputFormat(flags.output),
    withTimes: flags.timestamps,
    query: query.value,
    mayReadInput: !hasAddress,
  });
  return ended.ok ? 0 : fail(ended.error);
}

/** Never an error: the shell would write it into the line that the user types. */
async function printNames(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(statusFlags, argv);
  if (!parsed.ok) return 0;
  const [kind = "", prefix = ""] = parsed.value.positionals;
  const flags = resolveFlags(statusFlags, { timeout: completionTimeoutMs }, parsed.value.given);
  const { completeNames } = await import("../core/complete-names.ts");
  for (const text of flags["server-address"]) {
    const address = parseServerAddress(text);
    const answer = address.ok ? await fetchStatus(address.value, flags.timeout) : address;
    if (!answer.ok) continue;
    const names = completeNames(kind, prefix, answer.value.containers);
    process.stdout.write(names.map((name) => `${name}\n`).join(""));
    return 0;
  }
  return 0;
}

/** A user waits for the shell. */
const completionTimeoutMs = 800;

async function inspect(argv: readonly string[]): Promise<number> {
  const read = await readCommand("inspect", inspectCommandFlags, argv);
  if (typeof read === "number") return read;
  const { runInspect } = await import("./inspect-command.ts");
  const done = await runInspect(read.flags);
  return done.ok ? 0 : fail(`inspect: ${done.error}`);
}

async function showVersion(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(versionFlags, argv);
  if (!parsed.ok) return fail(`version: ${parsed.error.message}`);
  const flags = resolveFlags(versionFlags, parsed.value.given);
  if (flags.help) return await showHelp("version");
  const format = toOutputFormat(flags.output);
  process.stdout.write(
    format === "table" ? `tetragon ${version}\n` : renderDocument(format, { program: "tetragon", version }),
  );
  return 0;
}

async function showCompletion(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(plainFlags, argv);
  if (!parsed.ok) return fail(`completion: ${parsed.error.message}`);
  if (parsed.value.given.help === true) return await showHelp("completion");
  const { renderShellCompletion } = await import("./help.ts");
  const [shell = ""] = parsed.value.positionals;
  const script = renderShellCompletion(shell);
  if (script === undefined)
    return fail(`completion: ${JSON.stringify(shell)} is not a supported shell: use bash, zsh or fish`);
  process.stdout.write(script);
  return 0;
}

async function showHelp(topic: HelpTopic): Promise<number> {
  const { helpTopics } = await import("./help.ts");
  const { renderHelp } = await import("@rthooks/flags/help");
  process.stdout.write(renderHelp(helpTopics[topic]));
  return 0;
}
