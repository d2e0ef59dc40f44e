// SPDX-License-Identifier: Apache-2.0
// The commands that `doctor` advises. Each can be run as it stands, where doctor was run.

import { err, ok, type Result } from "@rthooks/result";
import type { NodeFiles } from "@rthooks/runtime-config";
import { renderTomlError } from "@rthooks/toml";
import { PROGRAM } from "./commands-help.ts";
import { HOOK } from "./find-hook-configs.ts";
import { DEFAULT_BASE_SPEC } from "./install-flags.ts";
import type { NodeFacts, RuntimeFacts } from "./node-facts.ts";
import type { ContainerdPatch, PatchError } from "./patch.ts";
import { planNode } from "./plan-node.ts";
import { findRancherDir } from "./plan-rancher.ts";
import { findRestart } from "./runtime-places.ts";

export interface Advice {
  install(runtime: RuntimeFacts, extra?: readonly string[]): readonly string[];
  /** Commands after which the change is in force; the reason, where no command can do it. */
  patchContainerd(runtime: RuntimeFacts, what: PatchKind): Result<readonly string[], string>;
  restart(runtime: RuntimeFacts): string;
  remove(path: string): readonly string[];
  /** Makes a directory root's alone. */
  protect(path: string): readonly string[];
}

type PatchKind =
  | { readonly kind: "enable-nri" }
  | { readonly kind: "add-oci-hook"; readonly baseSpec: string };

interface AdviceOptions {
  readonly facts: NodeFacts;
  readonly files: NodeFiles;
  /** Where this program sees a path of the node. */
  toLocal(path: string): string;
}

/** Where nothing can be installed, or not run, one that is always there and is not of the disk. */
const OTHER_DIR = "/run/tetragon";

export const usableDir = ({ path, read_only, noexec }: NodeFacts["install_dir"]): string =>
  read_only || noexec ? OTHER_DIR : path;

/** The first one that can be written. */
export const findUsableHooksDir = ({ hooks_dirs, read_only_hooks_dirs }: RuntimeFacts): string | undefined =>
  hooks_dirs.find((directory) => !read_only_hooks_dirs.includes(directory));

export function createAdvice({ facts, files, toLocal }: AdviceOptions): Advice {
  const { root } = facts;
  const inRoot = root === "/" ? [] : ["chroot", root];
  const restart = (runtime: RuntimeFacts): string =>
    [...inRoot.map(quote), findRestart(files, runtime)].join(" ");
  return {
    restart,
    remove: (path) => [`rm ${quote(toLocal(path))}`],
    protect: (path) => [`chown -h root:root ${quote(toLocal(path))}`, `chmod go-w ${quote(toLocal(path))}`],
    install(runtime, extra = []) {
      const directory = usableDir(facts.install_dir);
      const words = ["install", "--host-install-dir", directory];
      if (root !== "/") words.push("--local-install-dir", toLocal(directory), "--host-root", root);
      if (runtime.interface === "nri-hook") {
        const socket = runtime.nri?.socket.path ?? "";
        words.push("--interface", "nri-hook", "--daemonize", "--nri-hook.socket", toLocal(socket));
      } else {
        const usable = findUsableHooksDir(runtime);
        if (usable !== undefined) words.push("--oci-hooks.local-dir", toLocal(usable));
      }
      return [render([...words, ...extra])];
    },
    patchContainerd(runtime, what) {
      const { config, distribution } = runtime;
      const start = distribution === "microk8s" ? config.edit_path : config.path;
      const release = runtime.version ?? undefined;
      const patch: ContainerdPatch =
        what.kind === "enable-nri"
          ? { kind: what.kind, requirePlugin: undefined, containerdVersion: release }
          : { kind: what.kind, baseSpecPath: what.baseSpec };
      const isMissing = files.kind(start) === undefined && findRancherDir(start) === undefined;
      const planned = planNode({ files, path: start, release }, patch);
      if (!planned.ok) return err(describePatchError(planned.error));
      const { changes } = planned.value;
      // The files say it already: the runtime has not read them, or the distribution has not made its own of them.
      if (changes.length === 0 && !isMissing) return ok([restart(runtime)]);
      const path = findRancherDir(start) === undefined ? start : (changes[0]?.path ?? start);
      const words = ["patch-containerd-conf", what.kind, "--config-file", toLocal(path), "--in-place"];
      if (isMissing) words.push("--create");
      if (root !== "/") words.push("--host-root", root);
      // One file of a later version says the same to every release.
      const isPlain = config.files.length <= 1 && (config.version ?? 0) >= 2 && path === config.path;
      if (release !== undefined && !isPlain) words.push("--containerd-version", release);
      if (what.kind === "add-oci-hook") {
        words.push("--oci-hook-path", `${usableDir(facts.install_dir)}/${HOOK}`);
        if (what.baseSpec !== DEFAULT_BASE_SPEC) words.push("--base-spec", what.baseSpec);
      }
      return ok([
        // As long as that line is there, k0s writes the file again at each start (docs.k0sproject.io, runtime).
        ...(distribution === "k0s" && config.exists
          ? [`sed -i '/^# k0s_managed=true/d' ${quote(toLocal(path))}`]
          : []),
        render(words),
        restart(runtime),
      ]);
    },
  };
}

const describePatchError = ({ path, ...error }: PatchError): string =>
  `${path}: ${error.kind === "toml" ? renderTomlError(error.error) : error.message}`;

const render = (words: readonly string[]): string => [PROGRAM, ...words].map(quote).join(" ");

/** For a POSIX shell: a path of somebody else's configuration is a word and never a command. */
const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
