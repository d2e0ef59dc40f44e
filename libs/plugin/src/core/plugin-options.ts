// SPDX-License-Identifier: Apache-2.0
// The plugin's options from its flags, checked as a whole.

import { parseArguments, resolveFlags } from "@rthooks/flags";
import { type HookConfig, hookFlags, parseAgentAddress } from "@rthooks/hold";
import { checkPluginName } from "@rthooks/nri";
import { err, ok, type Result } from "@rthooks/result";
import { isSocketPathTooLong, MAX_SOCKET_PATH_BYTES } from "@rthooks/sys/socket-path";
import { HOOK_ARGS, type PluginFlags, type PluginMode, pluginFlags, pluginModes } from "./plugin-flags.ts";

export interface HookOptions {
  /** The command that the runtime executes on the host: the hook, or a loader with its arguments and then the hook. */
  readonly command: readonly [string, ...string[]];
  /** The hook's file in this process's mount namespace; it must exist and be executable. */
  readonly localPath: string;
  /** Flags of tetragon-oci-hook. */
  readonly args: readonly string[];
  /** The hook's timeout in the OCI spec: then the runtime kills the hook. */
  readonly timeoutSeconds: number;
}

export interface PluginOptions {
  readonly nriSocket: string;
  readonly name: string;
  /** Two digits. */
  readonly index: string;
  readonly mode: PluginMode;
  /** Main configuration file of containerd, as a path on the host. */
  readonly containerdConfig: string;
  readonly hook: HookOptions;
  /** The hook's configuration after its arguments; direct mode uses it in the plugin. */
  readonly hookConfig: HookConfig;
  /** The hook's log file in this process's mount namespace. */
  readonly logPath: string;
  /** The same file as the host sees it, for messages. */
  readonly hostLogPath: string;
  /** A procfs of the runtime's PID namespace. */
  readonly procfs: string;
}

export interface PluginArguments {
  readonly given: Partial<PluginFlags>;
  readonly positionals: readonly string[];
  /** Undefined without `hook-args`. */
  readonly hookArgs: readonly string[] | undefined;
}

export function parsePluginArguments(argv: readonly string[]): Result<PluginArguments, string> {
  const at = argv.indexOf(HOOK_ARGS);
  const parsed = parseArguments(pluginFlags, at === -1 ? argv : argv.slice(0, at));
  if (!parsed.ok) return err(parsed.error.message);
  return ok({ ...parsed.value, hookArgs: at === -1 ? undefined : argv.slice(at + 1) });
}

/** `command` replaces `--oci-hook-path` where the hook is started by another program. */
export function toPluginOptions(
  flags: PluginFlags,
  hookArgs: readonly string[],
  command: HookOptions["command"] = [flags["oci-hook-path"]],
): Result<PluginOptions, string> {
  const mode = pluginModes.find((known) => known === flags.mode);
  if (mode === undefined) return err(`--mode: ${flags.mode} is not one of ${pluginModes.join(", ")}`);
  const name = checkPluginName(flags["nri-name"], flags["nri-index"]);
  if (!name.ok) return err(`--nri-name, --nri-index: ${name.error}`);
  for (const flag of ["nri-socket", "containerd-config", "oci-hook-path", "procfs"] as const) {
    if (!flags[flag].startsWith("/"))
      return err(`--${flag}: ${JSON.stringify(flags[flag])} is not an absolute path`);
  }
  if (isSocketPathTooLong(flags["nri-socket"]))
    return err(`--nri-socket: a socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes`);
  const hookConfig = parseHookArgs(hookArgs);
  if (!hookConfig.ok) return err(`${HOOK_ARGS}: ${hookConfig.error}`);
  const localPath = flags["oci-hook-local-path"] || flags["oci-hook-path"];
  const { given, config } = hookConfig.value;
  const timeout = toTimeoutSeconds(flags["hook-timeout"], config["grpc-timeout"]);
  if (!timeout.ok) return timeout;
  return ok({
    nriSocket: flags["nri-socket"],
    name: flags["nri-name"],
    index: flags["nri-index"],
    mode,
    containerdConfig: flags["containerd-config"],
    hook: {
      command,
      localPath,
      args:
        given["log-fname"] === undefined
          ? ["--log-fname", besideHook(flags["oci-hook-path"]), ...hookArgs]
          : hookArgs,
      timeoutSeconds: timeout.value,
    },
    hookConfig: config,
    logPath: given["log-fname"] ?? besideHook(localPath),
    hostLogPath: given["log-fname"] ?? besideHook(flags["oci-hook-path"]),
    procfs: flags.procfs,
  });
}

const besideHook = (path: string): string => `${path.slice(0, path.lastIndexOf("/"))}/tetragon-oci-hook.log`;

function parseHookArgs(
  hookArgs: readonly string[],
): Result<{ readonly given: Partial<HookConfig>; readonly config: HookConfig }, string> {
  const parsed = parseArguments(hookFlags, hookArgs);
  if (!parsed.ok) return err(parsed.error.message);
  const [stray] = parsed.value.positionals;
  if (stray !== undefined)
    return err(`unexpected argument ${JSON.stringify(stray)}: the plugin adds the stage`);
  const { given } = parsed.value;
  for (const name of ["help", "version", "just-print-config"] as const) {
    if (given[name] === true) return err(`with --${name} the hook would not hold containers`);
  }
  const config = resolveFlags(hookFlags, given);
  const address = parseAgentAddress(config["grpc-address"]);
  return address.ok ? ok({ given, config }) : err(`--grpc-address: ${address.error}`);
}

/** Time for the hook to write its log and exit after its own deadline. */
const SPARE_SECONDS = 5;

/** The hook's timeout in the OCI spec, for its --grpc-timeout. */
export const toHookTimeoutSeconds = (grpcTimeoutMs: number): number =>
  Math.ceil(grpcTimeoutMs / 1000) + SPARE_SECONDS;

function toTimeoutSeconds(givenMs: number, grpcTimeoutMs: number): Result<number, string> {
  if (givenMs === 0) return ok(toHookTimeoutSeconds(grpcTimeoutMs));
  const seconds = Math.floor(givenMs / 1000);
  return seconds * 1000 > grpcTimeoutMs
    ? ok(seconds)
    : err(
        "--hook-timeout: must be longer than the hook's --grpc-timeout, or the runtime kills the hook before it logs the error",
      );
}
