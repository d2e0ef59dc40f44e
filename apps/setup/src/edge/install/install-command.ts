// SPDX-License-Identifier: Apache-2.0

import { basename } from "node:path";
import { type FlagValues, resolveFlags } from "@rthooks/flags";
import {
  openPluginInspector,
  type Plugin,
  pluginFlags,
  runPlugin,
  toPluginHealth,
  toPluginOptions,
} from "@rthooks/plugin";
import { err, ok, type Result } from "@rthooks/result";
import { openNodeFiles } from "@rthooks/runtime-config/files";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { toInstallPlace } from "../../core/decide-end.ts";
import { toHookEntry } from "../../core/hook-entry.ts";
import { installFlags } from "../../core/install-flags.ts";
import { findRuntimePlaces } from "../../core/runtime-places.ts";
import type { BinarySetup } from "./binary-setup.ts";
import { type DaemonEnd, listenForEnd, runDaemon } from "./daemon.ts";
import { toHookLogPath } from "./hook-log.ts";
import type { InstalledBinary } from "./install-binary.ts";
import { type Configure, installHook } from "./install-hook.ts";
import { type Keeper, keepInstalled } from "./keep-installed.ts";
import type { PodOwner } from "./pod-owner.ts";
import { findLocalBinary, findTarget } from "./target.ts";

type Flags = FlagValues<typeof installFlags>;

export const installCommand: Command = defineCommand({
  name: "install",
  summary: "install the hook and configure the runtime to call it",
  flags: installFlags,
  takesHookArgs: true,
  examples: [
    "tetragon-oci-hook-setup install --host-install-dir /opt/tetragon",
    "tetragon-oci-hook-setup install --interface nri-hook --daemonize hook-args --grpc-timeout 5s",
  ],
  async run({ flags, given, hookArgs }, io) {
    const { log } = io;
    if (flags.interface === "nri-hook" && !flags.daemonize) {
      log.error("NRI hook setup needs to be daemonized", { hint: "add --daemonize" });
      return exitCode.failed;
    }
    if (flags["oci-hooks.file-name"] !== "" && !/^[^/]+\.json$/.test(flags["oci-hooks.file-name"])) {
      log.error("--oci-hooks.file-name must be a file name that ends with .json");
      return exitCode.usage;
    }
    const owner = await openOwner(flags, io);
    if (!owner.ok) return fail(io, owner.error);
    // Listens first: a signal during the installation ends the program when the installation is complete.
    const ended = flags.daemonize ? listenForEnd(log) : undefined;
    const source = findLocalBinary(flags["local-binary"]);
    const target = findTarget(flags, basename(source));
    let plugin: Plugin | undefined;
    let keeper: Keeper | undefined;
    const served = await serveStatusIfWanted(flags["status-socket"], async () => {
      if (keeper === undefined) return "the installation is not complete";
      if (plugin !== undefined && !plugin.isServing()) return "the runtime does not call the NRI plugin";
      return keeper.findProblem();
    });
    if (!served.ok) return fail(io, served.error);
    const configure: Configure =
      flags.interface === "nri-hook"
        ? {
            kind: "start",
            async start(installed) {
              const started = await startPlugin(flags, hookArgs, installed, io);
              if (!started.ok) return started;
              plugin = started.value;
              return ok(undefined);
            },
          }
        : {
            kind: "hook-file",
            toEntry: (installed) =>
              toHookEntry(installed.command, withLog(hookArgs, installed), installed.timeoutSeconds),
          };
    const setup: BinarySetup = {
      source,
      ...target,
      libc: flags.libc === "host" || flags.libc === "bundled" ? flags.libc : "auto",
      libcDir: flags["libc-dir"],
      force: flags.force,
      hookArgs,
      log,
    };
    const isDaemon = ended !== undefined;
    const installed = await installHook({ target, setup, configure, isDaemon, daemonSet: flags.daemonset });
    if (!installed.ok) return fail(io, installed.error);
    if (ended === undefined) return exitCode.ok;
    keeper = keepInstalled(installed.value, log);
    if (plugin === undefined) log.info("waiting for SIGTERM or SIGINT");
    const stopped = ended.then(async (): Promise<DaemonEnd> => {
      // While the plugin still serves.
      const end = await owner.value?.decide(toInstallPlace(given));
      if (end !== undefined)
        log.info(end.keepsFiles ? "keeping the files" : "uninstalling", { reason: end.reason });
      plugin?.stop();
      await plugin?.stopped;
      return end === undefined
        ? { keepsFiles: flags["keep-on-exit"], isThorough: false }
        : { keepsFiles: end.keepsFiles || flags["keep-on-exit"], isThorough: true };
    });
    const done = await runDaemon({ target, keeper, ended: stopped }, log);
    if (!done.ok) return fail(io, done.error);
    await log.drain();
    // An open connection of the plugin would keep the process alive.
    process.exit(exitCode.ok);
  },
});

/** Loaded on demand: most runs do not ask the API server. */
async function openOwner(flags: Flags, { log, version }: Io): Promise<Result<PodOwner | undefined, string>> {
  if (flags.daemonset === "") return ok(undefined);
  if (!flags.daemonize) return err("--daemonset needs --daemonize");
  const { openPodOwner } = await import("./pod-owner.ts");
  return openPodOwner({ daemonSet: flags.daemonset, nodeName: flags["node-name"], version, log });
}

async function serveStatusIfWanted(
  path: string,
  findProblem: () => Promise<string>,
): Promise<Result<void, string>> {
  if (path === "") return ok(undefined);
  const { serveStatus } = await import("../status/serve-status.ts");
  return serveStatus(path, findProblem);
}

/** Ends the program, which a watch, the plugin or the status socket would keep alive. */
async function fail({ log }: Io, message: string): Promise<never> {
  log.error(message);
  await log.drain();
  process.exit(exitCode.failed);
}

/** Before the given arguments, so that a given --log-fname overrides it. */
function withLog(hookArgs: readonly string[], installed: InstalledBinary): readonly string[] {
  const hostBinary = installed.command[installed.command.length - 1] ?? "";
  return ["--log-fname", toHookLogPath(hostBinary), ...hookArgs];
}

/** The configuration of the installed containerd; the default path if there is none. */
function findContainerdConfig(hostRoot: string): string {
  const places = findRuntimePlaces(openNodeFiles(hostRoot));
  return places.find(({ kind }) => kind === "containerd")?.config ?? pluginFlags["containerd-config"].default;
}

async function startPlugin(
  flags: Flags,
  hookArgs: readonly string[],
  installed: InstalledBinary,
  io: Io,
): Promise<Result<Plugin, string>> {
  const options = toPluginOptions(
    {
      ...resolveFlags(pluginFlags),
      "nri-socket": flags["nri-hook.socket"],
      "nri-name": flags["nri-hook.name"],
      "nri-index": flags["nri-hook.index"],
      mode: flags["nri-hook.mode"],
      "containerd-config": findContainerdConfig(flags["host-root"]),
      "oci-hook-path": installed.command[installed.command.length - 1] ?? "",
      "oci-hook-local-path": installed.localPath,
    },
    hookArgs,
    installed.command,
  );
  if (!options.ok) return options;
  const health = toPluginHealth({
    "health-server-address": flags["nri-hook.health-server-address"],
    "health-server-interval": flags["nri-hook.health-server-interval"],
  });
  if (!health.ok) return health;
  const inspector = await openPluginInspector({
    address: flags["nri-hook.inspect-address"],
    tokenFile: flags["nri-hook.inspect-token-file"],
    program: "tetragon-oci-hook-setup",
    log: io.log,
  });
  if (!inspector.ok) return inspector;
  return runPlugin({
    options: options.value,
    transport: { kind: "socket", path: options.value.nriSocket },
    log: io.log,
    version: io.version,
    hostRoot: flags["host-root"],
    metricsAddress: flags["nri-hook.metrics-address"],
    health: health.value,
    inspect: inspector.value?.inspect,
    inspectorClients: inspector.value?.clients ?? (() => 0),
  });
}
