// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { flag, resolveFlags } from "@rthooks/flags";
import { pluginFlags, toPluginOptions } from "@rthooks/plugin";
import { ok, type Result } from "@rthooks/result";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { type HookEntry, toHookEntry } from "../../core/hook-entry.ts";
import { baseSpecFlags, containerdFileFlags } from "../../core/patch-flags.ts";
import { lockDirectories } from "../install/lock-directories.ts";
import { recordReference } from "../install/references.ts";
import { checkSafePath } from "../install/safe-path.ts";
import { patchContainerdFile } from "./patch-containerd-file.ts";
import { removeFromBaseSpec, writeBaseSpec } from "./write-base-spec.ts";

export const addOciHook: Command = defineCommand({
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
    return patchContainerdFile(
      flags,
      { kind: "add-oci-hook", baseSpecPath: flags["base-spec"] },
      io,
      prepare,
    );
  },
});

/** Records the base spec, so that `uninstall` finds it in any directory. */
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

/** The entry with the arguments and the timeout of the NRI plugin's hook. */
function toEntry(path: string, hookArgs: readonly string[]): Result<HookEntry, string> {
  const options = toPluginOptions({ ...resolveFlags(pluginFlags, {}), "oci-hook-path": path }, hookArgs);
  if (!options.ok) return options;
  const { args, timeoutSeconds } = options.value.hook;
  return ok(toHookEntry([path], args, timeoutSeconds));
}

export const removeOciHook: Command = defineCommand({
  name: "patch-containerd-conf remove-oci-hook",
  summary: "remove the base spec from containerd's configuration, and the hook from the base spec",
  flags: { ...containerdFileFlags, ...baseSpecFlags },
  async run({ flags }, io) {
    const code = await patchContainerdFile(
      flags,
      { kind: "remove-oci-hook", baseSpecPath: flags["base-spec"] },
      io,
    );
    if (code !== exitCode.ok || !flags["in-place"]) return code;
    const path = flags["oci-hook-path"];
    const removed = await removeFromBaseSpec({
      path: join(flags["host-root"], flags["base-spec"]),
      binaryName: basename(path),
    });
    if (removed.ok) return code;
    io.log.error(removed.error);
    return exitCode.failed;
  },
});
