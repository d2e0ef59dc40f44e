// SPDX-License-Identifier: Apache-2.0
// The operator program: reads flags, runs, and returns the exit code.

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { followConfig, loadFlags, logFlagNotes } from "@rthooks/config";
import { type ApiClient, openApiClient, openKubeAccess, openObjectClient } from "@rthooks/kube";
import { createLogWriter, type LogWriter, toLogFormat, toLogLevel } from "@rthooks/log";
import { registerProcessMetrics, serveMetrics, serveProbes } from "@rthooks/metrics";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";
import { operatorCommands, operatorFlags, operatorHelp } from "../core/operator-flags.ts";
import { createOperatorMetrics, type OperatorMetrics } from "../core/operator-metrics.ts";
import { type OperatorOptions, toOperatorOptions } from "../core/operator-options.ts";
import { awaitEstablished, installCrds } from "./install-crds.ts";
import { type Operator, runOperator } from "./run-operator.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** 128 + SIGINT: the exit code that shells use for an interrupted process. */
const INTERRUPTED = 130;
const NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/** Of the wait for the API server to serve the kinds, without `serve`. */
const ESTABLISHED_MS = 60_000;
const TIMEOUT_MS = 10_000;

function fail(message: string): number {
  process.stderr.write(`tetragon-operator: ${message}\n`);
  return 1;
}

export async function runCommand(
  argv: readonly string[],
  environment: Environment,
  version: string,
): Promise<number> {
  const hint = "see tetragon-operator --help";
  const loaded = await loadFlags({
    ...{ table: operatorFlags, foreign: [], argv, environment, prefix: "TETRAGON_OPERATOR_", hint },
  });
  if (!loaded.ok) return fail(loaded.error);
  const { flags, positionals, config, locate } = loaded.value;
  if (flags.help) {
    const { renderHelp } = await import("@rthooks/flags/help");
    process.stdout.write(renderHelp(operatorHelp));
    return 0;
  }
  if (flags.version) {
    process.stdout.write(`tetragon-operator ${version}\n`);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command === "completion") return await printCompletion(rest[0] ?? "");
  if ((command !== undefined && command !== "serve") || rest.length > 0) {
    return fail(`unknown command ${JSON.stringify(positionals.join(" "))}; ${hint}`);
  }
  const parsed = toOperatorOptions(flags);
  if (!parsed.ok) return fail(locate(parsed.error));
  const format = toLogFormat(flags["log-format"]);
  const log = createLogWriter(process.stderr.fd, format, toLogLevel(flags["log-level"]));
  process.on("exit", log.flush);
  logFlagNotes(loaded.value, "Tetragon", log);
  const access = openKubeAccess({ path: flags["kube-config"], flag: "--kube-config", log });
  if (!access.ok) return fail(locate(access.error));
  const client = openApiClient(access.value, `tetragon-operator/${version}`);
  const metrics = createOperatorMetrics();
  log.info("starting", { version, pid: process.pid });
  if (command === undefined) return await installOnce(client, parsed.value, metrics, log);
  const options = withNamespace(parsed.value);
  if (!options.ok) return fail(options.error);
  if (config !== undefined) followConfig(config, openDirectoryWatch(), log);
  const addresses = {
    metrics: flags["metrics-bind-address"],
    probes: flags["health-probe-bind-address"],
  };
  const served = await serve({ client, options: options.value, addresses, metrics, log });
  await log.drain();
  return served.ok ? process.exit(0) : process.exit(fail(locate(served.error)));
}

/** Fills in the namespace of the operator's own pod. */
function withNamespace(options: OperatorOptions): Result<OperatorOptions, string> {
  const { election } = options;
  if (election === undefined || election.namespace !== "") return ok(options);
  try {
    const namespace = readFileSync(NAMESPACE_FILE, "utf8").trim();
    return ok({ ...options, election: { ...election, namespace } });
  } catch (error) {
    return err(`--leader-election-namespace is not set, and ${describeError(error)}`);
  }
}

async function installOnce(
  client: ApiClient,
  { crds, isForced }: OperatorOptions,
  metrics: OperatorMetrics,
  log: LogWriter,
): Promise<number> {
  const objects = openObjectClient(client, TIMEOUT_MS);
  const installed = await installCrds({ objects, crds, isForced, metrics, log });
  const done = installed.ok
    ? await awaitEstablished({ objects, crds }, AbortSignal.timeout(ESTABLISHED_MS))
    : installed;
  await log.drain();
  return done.ok ? 0 : fail(done.error);
}

interface ServeOptions {
  readonly client: ApiClient;
  readonly options: OperatorOptions;
  readonly addresses: { readonly metrics: string; readonly probes: string };
  readonly metrics: OperatorMetrics;
  readonly log: LogWriter;
}

/** Resolves after the signal. The error, at the start, is one line. */
async function serve({
  client,
  options,
  addresses,
  metrics,
  log,
}: ServeOptions): Promise<Result<void, string>> {
  const signal = waitForSignal(log);
  let operator: Operator | undefined;
  if (addresses.metrics !== "0") {
    registerProcessMetrics(metrics.registry);
    const served = await serveMetrics(addresses.metrics, log, () =>
      metrics.render({
        leads: operator?.leads() ?? false,
        serves: operator?.serves() ?? false,
        podInfos: operator?.countPodInfos() ?? 0,
      }),
    );
    if (!served.ok) return err(`--metrics-bind-address ${served.error}`);
  }
  if (addresses.probes !== "0") {
    const served = await serveProbes(addresses.probes, log, () => operator?.problem() ?? "starting");
    if (!served.ok) return err(`--health-probe-bind-address ${served.error}`);
  }
  const identity = `${hostname()}_${crypto.randomUUID()}`;
  operator = runOperator({ client, options, identity, metrics, log });
  await signal;
  await operator.stop();
  log.info("stopped");
  return ok(undefined);
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function waitForSignal(log: LogWriter): Promise<void> {
  ignoreUnusedSignals((signal) => log.info("signal ignored", { signal }));
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (signal: string): void => {
      if (isStopping) process.exit(INTERRUPTED);
      isStopping = true;
      log.info("stopping", { signal });
      resolve();
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

async function printCompletion(shell: string): Promise<number> {
  const known = shells.find((name) => name === shell);
  if (known === undefined)
    return fail("missing or unknown shell: tetragon-operator completion bash|zsh|fish");
  const { renderCompletion } = await import("@rthooks/flags/help");
  const program = { name: "tetragon-operator", commands: operatorCommands, flags: operatorFlags };
  process.stdout.write(renderCompletion(known, program));
  return 0;
}
