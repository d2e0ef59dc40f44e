// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type FlagValues, flag, resolveFlags } from "@rthooks/flags";
import { pluginFlags, toPluginOptions } from "@rthooks/plugin";
import { err, ok, type Result } from "@rthooks/result";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { type HookEntry, toHookEntry } from "../../core/hook-entry.ts";
import { DEFAULT_BASE_SPEC } from "../../core/install-flags.ts";
import type { ContainerdPatch } from "../../core/patch.ts";
import { enableAnnotations } from "../../core/patch-crio.ts";
import { lockDirectories } from "../install/lock-directories.ts";
import { recordReference } from "../install/references.ts";
import { checkSafePath } from "../install/safe-path.ts";
import { removeFromBaseSpec, writeBaseSpec } from "../write-base-spec.ts";
import { printDefaultConfig } from "./default-config.ts";
import { containerdFileFlags, crioFileFlags, type FileTask, patchFile } from "./patch-file.ts";
import { isMadeFromOthers, planFiles } from "./plan-files.ts";

type FileFlags = FlagValues<typeof containerdFileFlags>;

const patchOf = (
  flags: FileFlags,
  patch: ContainerdPatch,
  io: Io,
  prepare?: FileTask["prepare"],
): Promise<number> =>
  patchFile(
    {
      path: flags["config-file"],
      output: flags.output,
      inPlace: flags["in-place"],
      diff: flags.diff,
      check: flags.check,
      async make() {
        const path = flags["config-file"];
        if (isMadeFromOthers(path)) return ok(undefined);
        if (flags.create && flags["in-place"]) return printDefaultConfig(flags["host-root"]);
        return err(
          `${path}: no such file: create it with \`containerd config default > ${path}\` or with --create --in-place`,
        );
      },
      plan: (text) =>
        planFiles(
          {
            path: flags["config-file"],
            text,
            hostRoot: flags["host-root"],
            release: flags["containerd-version"] || undefined,
          },
          patch,
        ),
      ...(prepare === undefined ? {} : { prepare }),
    },
    io,
  );

const enableNri = defineCommand({
  name: "patch-containerd-conf enable-nri",
  summary: "enable NRI in containerd's configuration",
  flags: {
    ...containerdFileFlags,
    "require-plugin": flag.string({
      usage: "reject new containers while this NRI plugin is not connected (containerd 2.2 and later)",
      placeholder: "NAME",
    }),
  },
  examples: [
    "tetragon-oci-hook-setup patch-containerd-conf enable-nri --config-file old.toml --output new.toml",
    "tetragon-oci-hook-setup patch-containerd-conf enable-nri --in-place",
  ],
  run: ({ flags }, io) =>
    patchOf(
      flags,
      {
        kind: "enable-nri",
        requirePlugin: flags["require-plugin"] || undefined,
        containerdVersion: flags["containerd-version"] || undefined,
      },
      io,
    ),
});

const disableNri = defineCommand({
  name: "patch-containerd-conf disable-nri",
  summary: "disable NRI in containerd's configuration",
  flags: containerdFileFlags,
  run: ({ flags }, io) => patchOf(flags, { kind: "disable-nri" }, io),
});

const baseSpecFlags = {
  "base-spec": flag.string({
    usage: "the base spec, as containerd sees it",
    default: DEFAULT_BASE_SPEC,
    placeholder: "FILE",
  }),
  "oci-hook-path": flag.string({
    usage: "the hook, as the host sees it",
    default: "/opt/tetragon/tetragon-oci-hook",
    placeholder: "FILE",
  }),
} as const;

const addOciHook = defineCommand({
  name: "patch-containerd-conf add-oci-hook",
  summary: "add the hook to containerd's runc containers through a base spec, for containerd without NRI",
  flags: {
    ...containerdFileFlags,
    ...baseSpecFlags,
    "from-spec": flag.string({
      usage:
        "OCI spec to add the hook to (default: the existing base spec, else the output of `ctr oci spec`)",
      placeholder: "FILE",
    }),
    ctr: flag.string({
      usage: "containerd's ctr, as the host sees it (default: searched in the usual directories)",
      placeholder: "FILE",
    }),
  },
  takesHookArgs: true,
  async run({ flags, hookArgs }, io) {
    const entry = toEntry(flags["oci-hook-path"], hookArgs);
    if (!entry.ok) {
      io.log.error(entry.error);
      return exitCode.failed;
    }
    const root = flags["host-root"];
    const isSafe = checkSafePath(root, dirname(flags["oci-hook-path"]));
    if (!isSafe.ok) {
      io.log.error(isSafe.error);
      return exitCode.failed;
    }
    const path = join(root, flags["base-spec"]);
    const prepare = async (dryRun: boolean) => {
      const written = await writeBaseSpec({
        path,
        entry: entry.value,
        root,
        dryRun,
        ...(flags["from-spec"] === "" ? {} : { fromSpec: flags["from-spec"] }),
        ...(flags.ctr === "" ? {} : { ctr: flags.ctr }),
      });
      if (written.ok && !dryRun) await recordIfInstalled(join(root, flags["oci-hook-path"]), path, io);
      return written;
    };
    return patchOf(flags, { kind: "add-oci-hook", baseSpecPath: flags["base-spec"] }, io, prepare);
  },
});

/** So that uninstalling the hook finds this base spec, wherever it is. */
async function recordIfInstalled(hook: string, baseSpec: string, { log }: Io): Promise<void> {
  if (!existsSync(dirname(hook))) return;
  const locks = await lockDirectories([{ path: dirname(hook) }]);
  if (!locks.ok) {
    log.warn("cannot record this base spec: uninstall will not find it", {
      path: baseSpec,
      err: locks.error,
    });
    return;
  }
  await recordReference(hook, baseSpec);
  await locks.value.release();
}

/** The same arguments and timeout as the hook has through NRI. */
function toEntry(path: string, hookArgs: readonly string[]): Result<HookEntry, string> {
  const options = toPluginOptions({ ...resolveFlags(pluginFlags, {}), "oci-hook-path": path }, hookArgs);
  if (!options.ok) return err(options.error);
  const { args, timeoutSeconds } = options.value.hook;
  return { ok: true, value: toHookEntry([path], args, timeoutSeconds) };
}

const removeOciHook = defineCommand({
  name: "patch-containerd-conf remove-oci-hook",
  summary: "remove the base spec from containerd's configuration, and the hook from the base spec",
  flags: { ...containerdFileFlags, ...baseSpecFlags },
  async run({ flags }, io) {
    const code = await patchOf(flags, { kind: "remove-oci-hook", baseSpecPath: flags["base-spec"] }, io);
    if (code !== exitCode.ok || !flags["in-place"]) return code;
    const path = flags["oci-hook-path"];
    const removed = await removeFromBaseSpec({
      path: join(flags["host-root"], flags["base-spec"]),
      binaryName: path.slice(path.lastIndexOf("/") + 1),
    });
    if (removed.ok) return code;
    io.log.error(removed.error);
    return exitCode.failed;
  },
});

const enableCrioAnnotations = defineCommand({
  name: "patch-crio-conf enable-annotations",
  summary: "allow pod annotations in the OCI spec that the hook reads, for every runtime of CRI-O's file",
  flags: {
    ...crioFileFlags,
    annotations: flag.list({ usage: "annotation keys, or prefixes of keys; required", placeholder: "KEY,…" }),
  },
  async run({ flags }, io) {
    if (flags.annotations.length === 0) {
      io.stderr("tetragon-oci-hook-setup: --annotations KEY,… is required\n");
      return exitCode.usage;
    }
    return patchFile(
      {
        path: flags["config-file"],
        output: flags["output-file"],
        inPlace: flags["in-place"],
        diff: flags.diff,
        check: flags.check,
        plan: (text = "") => enableAnnotations(flags["config-file"], text, flags.annotations),
      },
      io,
    );
  },
});

export const patchCommands: readonly Command[] = [
  enableNri,
  disableNri,
  addOciHook,
  removeOciHook,
  enableCrioAnnotations,
];
