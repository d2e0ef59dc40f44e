// SPDX-License-Identifier: Apache-2.0
// The commands that `doctor` advises. Each can be run as printed, where doctor was run.

import { err, ok, type Result } from "@rthooks/result";
import type { NodeFiles } from "@rthooks/runtime-config";
import { renderTomlError } from "@rthooks/toml";
import { PROGRAM } from "./commands-help.ts";
import { DEFAULT_BASE_SPEC, HOOK } from "./default-paths.ts";
import type { NodeFacts, RuntimeFacts } from "./node-facts.ts";
import type { ContainerdPatch, PatchError } from "./patch.ts";
import { planNode } from "./plan-node.ts";
import { findRancherDir } from "./plan-rancher.ts";
import { findRestart } from "./runtime-places.ts";

export interface Advice {
  install(runtime: RuntimeFacts, extra?: readonly string[]): readonly string[];
  /** The commands that bring the patch into effect; the error is the reason why no command can. */
  patchContainerd(runtime: RuntimeFacts, what: PatchKind): Result<readonly string[], string>;
  restart(runtime: RuntimeFacts): string;
  remove(path: string): readonly string[];
  /** Gives a directory to root, and removes write access of others. */
  protect(path: string): readonly string[];
}

type PatchKind =
  | { readonly kind: "enable-nri" }
  | { readonly kind: "add-oci-hook"; readonly baseSpec: string };

interface AdviceOptions {
  readonly facts: NodeFacts;
  readonly files: NodeFiles;
  /** The path as this program sees it, of a path of the node. */
  toLocal(path: string): string;
}

/** For a read-only or noexec install directory: writable and executable on every node, empty after a reboot. */
const FALLBACK_DIR = "/run/tetragon";

export const usableDir = ({ path, read_only, noexec }: NodeFacts["install_dir"]): string =>
  read_only || noexec ? FALLBACK_DIR : path;

/** The first writable hooks directory. */
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
      // The patch is in the files already: the runtime has not read them, or the distribution has not generated its
      // file.
      if (changes.length === 0 && !isMissing) return ok([restart(runtime)]);
      const path = findRancherDir(start) === undefined ? start : (changes[0]?.path ?? start);
      const words = ["patch-containerd-conf", what.kind, "--config-file", toLocal(path), "--in-place"];
      if (isMissing) words.push("--create");
      if (root !== "/") words.push("--host-root", root);
      // A single file of version 2 or later means the same to every release.
      const isPlain = config.files.length <= 1 && (config.version ?? 0) >= 2 && path === config.path;
      if (release !== undefined && !isPlain) words.push("--containerd-version", release);
      if (what.kind === "add-oci-hook") {
        words.push("--oci-hook-path", `${usableDir(facts.install_dir)}/${HOOK}`);
        if (what.baseSpec !== DEFAULT_BASE_SPEC) words.push("--base-spec", what.baseSpec);
      }
      return ok([
        // With this line in the file, k0s generates it at each start (docs.k0sproject.io, runtime).
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

/** Quotes a word for a POSIX shell: a configured path must not be run as a command. */
const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
