// SPDX-License-Identifier: Apache-2.0

import { basename, dirname, join } from "node:path";
import type { FlagValues } from "@rthooks/flags";
import { resolveFlags } from "@rthooks/flags";
import { type Plugin, pluginFlags, runPlugin, toPluginOptions } from "@rthooks/plugin";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { toHookEntry } from "../../core/hook-entry.ts";
import { installFlags } from "../../core/install-flags.ts";
import { findHooksDir, hookFilePath, writeHookFile } from "./hooks-dir.ts";
import { findLocalBinary, type InstalledBinary, installBinary } from "./install-binary.ts";
import { findPlaces, removeInstalled } from "./uninstall-command.ts";

type Flags = FlagValues<typeof installFlags>;

export const installCommand: Command = defineCommand({
  name: "install",
  summary: "install the hook, and tell the runtime to call it",
  flags: installFlags,
  takesHookArgs: true,
  examples: [
    "tetragon-oci-hook-setup install --host-install-dir /opt/tetragon",
    "tetragon-oci-hook-setup install --interface nri-hook --daemonize hook-args --grpc-timeout 5s",
  ],
  async run({ flags, hookArgs }, io) {
    if (flags.interface === "nri-hook" && !flags.daemonize) {
      io.log.error("NRI hook setup needs to be daemonized", { hint: "add --daemonize" });
      return exitCode.failed;
    }
    const places = findPlaces(flags);
    const log = io.log;
    const installed = await installBinary({
      source: findLocalBinary(flags["local-binary"]),
      ...places,
      hostRoot: flags["host-root"],
      libc: flags.libc === "host" || flags.libc === "bundled" ? flags.libc : "auto",
      libcDir: flags["libc-dir"],
      force: flags.force,
      hookArgs,
      log,
    });
    if (!installed.ok) return fail(io, installed.error);
    return flags.interface === "nri-hook"
      ? serveNri(flags, hookArgs, installed.value, io)
      : installHooksDir(flags, hookArgs, installed.value, io);
  },
});

async function fail({ log }: Io, message: string): Promise<number> {
  log.error(message);
  return exitCode.failed;
}

/** Behind the arguments of the hook's own, so that one that is given comes after it and counts. */
function withLog(hookArgs: readonly string[], installed: InstalledBinary): readonly string[] {
  const hostBinary = installed.command[installed.command.length - 1] ?? "";
  return ["--log-fname", join(dirname(hostBinary), "tetragon-oci-hook.log"), ...hookArgs];
}

async function installHooksDir(
  flags: Flags,
  hookArgs: readonly string[],
  installed: InstalledBinary,
  io: Io,
): Promise<number> {
  const binaryName = basename(installed.localPath);
  const path = hookFilePath(findHooksDir(flags["oci-hooks.local-dir"]), binaryName);
  const entry = toHookEntry(installed.command, withLog(hookArgs, installed), installed.timeoutSeconds);
  const written = await writeHookFile(path, entry, io.log);
  if (!written.ok) {
    await installed.undo();
    return fail(io, written.error);
  }
  await installed.settle();
  if (!flags.daemonize) return exitCode.ok;
  io.log.info("waiting for SIGTERM or SIGINT");
  await waitForEnd(io);
  return endOfDaemon(flags, installed, io);
}

async function serveNri(
  flags: Flags,
  hookArgs: readonly string[],
  installed: InstalledBinary,
  io: Io,
): Promise<number> {
  const hostBinary = installed.command[installed.command.length - 1] ?? "";
  const options = toPluginOptions(
    {
      ...resolveFlags(pluginFlags),
      "nri-socket": flags["nri-hook.socket"],
      "nri-name": flags["nri-hook.name"],
      "nri-index": flags["nri-hook.index"],
      mode: flags["nri-hook.mode"],
      "oci-hook-path": hostBinary,
      "oci-hook-local-path": installed.localPath,
    },
    hookArgs,
    installed.command,
  );
  if (!options.ok) {
    await installed.undo();
    return fail(io, options.error);
  }
  const plugin = await runPlugin({
    options: options.value,
    transport: { kind: "socket", path: options.value.nriSocket },
    log: io.log,
    version: io.version,
    metricsAddress: flags["nri-hook.metrics-address"],
  });
  if (!plugin.ok) {
    await installed.undo();
    return fail(io, plugin.error);
  }
  await installed.settle();
  await waitForEnd(io, plugin.value);
  return endOfDaemon(flags, installed, io);
}

/** A second signal ends the program at once: then what is installed stays. */
async function waitForEnd({ log }: Io, plugin?: Plugin): Promise<void> {
  ignoreUnusedSignals((signal) => log.info("signal ignored", { signal }));
  await new Promise<void>((resolve) => {
    let isStopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(130);
        isStopping = true;
        log.info("stopping", { signal });
        resolve();
      });
    }
    // Keeps the process alive where nothing else does.
    const alive = setInterval(() => {
      if (isStopping) clearInterval(alive);
    }, 60_000);
  });
  plugin?.stop();
  await plugin?.stopped;
}

async function endOfDaemon(flags: Flags, installed: InstalledBinary, io: Io): Promise<number> {
  if (flags["keep-on-exit"]) {
    io.log.info("what was installed stays");
    await io.log.drain();
    process.exit(exitCode.ok);
  }
  const code = await removeInstalled(flags, basename(installed.localPath), io);
  await io.log.drain();
  process.exit(code);
}
