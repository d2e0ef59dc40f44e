// SPDX-License-Identifier: Apache-2.0
// The plugin program: reads flags and the environment of a launched plugin, runs the plugin, and returns the exit code.

import { formatDuration, resolveFlags } from "@rthooks/flags";
import { createLogWriter, toLogFormat, toLogLevel } from "@rthooks/log";
import {
  openPluginInspector,
  type PluginOptions,
  parseConfigText,
  parsePluginArguments,
  pluginFlags,
  runPlugin,
  toPluginHealth,
  toPluginOptions,
} from "@rthooks/plugin";
import { describeError, err, type Result } from "@rthooks/result";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";

type Environment = Readonly<Record<string, string | undefined>>;

/** Exit code of a shell for a process that SIGINT ended. */
const INTERRUPTED = 130;

function fail(message: string): number {
  process.stderr.write(`tetragon-nri-hook: ${message}\n`);
  return 1;
}

export async function runCommand(
  argv: readonly string[],
  environment: Environment,
  version: string,
): Promise<number> {
  const parsed = parsePluginArguments(argv);
  if (!parsed.ok) return fail(`${parsed.error}; see tetragon-nri-hook --help`);
  const { given, positionals, hookArgs } = parsed.value;
  const flags = resolveFlags(pluginFlags, given);
  if (flags.help || flags.version || positionals.length > 0) {
    return answer(flags.help, flags.version, positionals, version);
  }
  const launched = readLaunch(environment);
  if (!launched.ok) return fail(launched.error);
  const { fd, name, index } = launched.value;
  // The runtime takes name and index of a launched plugin from its file name.
  const named = fd === undefined ? flags : { ...flags, "nri-name": name, "nri-index": index };
  const options = toPluginOptions(named, hookArgs ?? []);
  if (!options.ok) return fail(options.error);
  const health = toPluginHealth(flags);
  if (!health.ok) return fail(health.error);
  if (flags["just-print-config"]) {
    process.stdout.write(renderOptions(options.value));
    return 0;
  }

  const format = toLogFormat(flags["log-format"]);
  const level = toLogLevel(flags["log-level"]);
  const log = createLogWriter(process.stderr.fd, format, level);
  process.on("exit", log.flush);
  // The process continues after a bug, since containers wait for it.
  process.on("uncaughtException", (error) => log.error("unexpected error", { err: describeError(error) }));
  process.on("unhandledRejection", (error) => log.error("unexpected error", { err: describeError(error) }));
  ignoreUnusedSignals((signal) => log.info("signal ignored", { signal }));

  log.info("starting", {
    version,
    pid: process.pid,
    mode: options.value.mode,
    launched: fd !== undefined,
  });
  const inspector = await openPluginInspector({
    address: flags["inspect-address"],
    tokenFile: flags["inspect-token-file"],
    program: "tetragon-nri-hook",
    log,
  });
  if (!inspector.ok) {
    await log.drain();
    return fail(inspector.error);
  }
  const plugin = await runPlugin({
    options: options.value,
    transport:
      fd === undefined ? { kind: "socket", path: options.value.nriSocket } : { kind: "launched", fd },
    log,
    version,
    hostRoot: "/",
    metricsAddress: flags["metrics-address"],
    health: health.value,
    inspect: inspector.value?.inspect,
    inspectorClients: inspector.value?.clients ?? (() => 0),
    applyConfig: (text): Result<PluginOptions, string> => {
      const config = parseConfigText(text);
      if (!config.ok) return err(config.error);
      const merged = resolveFlags(pluginFlags, config.value.given, given);
      const both = fd === undefined ? merged : { ...merged, "nri-name": name, "nri-index": index };
      return toPluginOptions(both, hookArgs ?? config.value.hookArgs ?? []);
    },
  });
  if (!plugin.ok) {
    await log.drain();
    return fail(plugin.error);
  }
  let isStopping = false;
  const onSignal = (signal: string): void => {
    if (isStopping) process.exit(INTERRUPTED);
    isStopping = true;
    log.info("stopping", { signal });
    plugin.value.stop();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const reason = await plugin.value.stopped;
  log.info("stopped", { reason });
  await log.drain();
  process.exit(0);
}

interface Launch {
  readonly fd: number | undefined;
  readonly name: string;
  readonly index: string;
}

/** The environment variables that a runtime sets for a launched plugin (NRI pkg/api/plugin.go). */
function readLaunch(environment: Environment): Result<Launch, string> {
  const socket = environment["NRI_PLUGIN_SOCKET"];
  if (socket === undefined) return { ok: true, value: { fd: undefined, name: "", index: "" } };
  if (!/^\d{1,4}$/.test(socket))
    return err(`NRI_PLUGIN_SOCKET: ${JSON.stringify(socket)} is not a file descriptor`);
  const name = environment["NRI_PLUGIN_NAME"] ?? "tetragon";
  const index = environment["NRI_PLUGIN_IDX"] ?? "01";
  return { ok: true, value: { fd: Number(socket), name, index } };
}

async function answer(
  isHelp: boolean,
  isVersion: boolean,
  [command, shell = ""]: readonly string[],
  version: string,
): Promise<number> {
  if (isHelp) {
    const { pluginHelp } = await import("../core/plugin-help.ts");
    const { renderHelp } = await import("@rthooks/flags/help");
    process.stdout.write(renderHelp(pluginHelp));
    return 0;
  }
  if (isVersion) {
    process.stdout.write(`tetragon-nri-hook ${version}\n`);
    return 0;
  }
  if (command !== "completion") {
    return fail(`unexpected argument ${JSON.stringify(command)}; flags of the hook follow after hook-args`);
  }
  const { renderPluginCompletion } = await import("../core/plugin-help.ts");
  const script = renderPluginCompletion(shell);
  if (script === undefined)
    return fail("missing or unknown shell: tetragon-nri-hook completion bash|zsh|fish");
  process.stdout.write(script);
  return 0;
}

function renderOptions({ hookConfig, ...options }: PluginOptions): string {
  const { help: _help, version: _version, "just-print-config": _print, ...hook } = hookConfig;
  const shown = {
    ...options,
    hookConfig: {
      ...hook,
      "grpc-timeout": formatDuration(hook["grpc-timeout"]),
      "grpc-timeout-allowed": formatDuration(hook["grpc-timeout-allowed"]),
    },
  };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}
