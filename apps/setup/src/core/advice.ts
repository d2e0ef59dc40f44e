// SPDX-License-Identifier: Apache-2.0
// The commands that `doctor` advises. Each can be run as it stands, where doctor was run.

import { PROGRAM } from "./commands-help.ts";
import { HOOK } from "./find-hook-configs.ts";
import type { NodeFacts, RuntimeFacts } from "./node-facts.ts";
import type { NodeFiles } from "./node-files.ts";
import { findRestart } from "./runtime-places.ts";

export interface Advice {
  install(runtime: RuntimeFacts, extra?: readonly string[]): readonly string[];
  patchContainerd(runtime: RuntimeFacts, what: "enable-nri" | "add-oci-hook"): readonly string[];
  restart(runtime: RuntimeFacts): string;
  /** Makes a directory root's alone. */
  protect(path: string): readonly string[];
}

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

export function createAdvice({ facts, files, toLocal }: AdviceOptions): Advice {
  const { root } = facts;
  const inRoot = root === "/" ? [] : ["chroot", root];
  const restart = (runtime: RuntimeFacts): string =>
    [...inRoot.map(quote), findRestart(files, runtime)].join(" ");
  const hookFlags = (what: "enable-nri" | "add-oci-hook"): readonly string[] =>
    what === "enable-nri"
      ? []
      : [
          ...(root === "/" ? [] : ["--host-root", root]),
          ...["--oci-hook-path", `${usableDir(facts.install_dir)}/${HOOK}`],
        ];
  return {
    restart,
    protect: (path) => [`chown -h root:root ${quote(toLocal(path))}`, `chmod go-w ${quote(toLocal(path))}`],
    install(runtime, extra = []) {
      const directory = usableDir(facts.install_dir);
      const words = ["install", "--host-install-dir", directory];
      if (root !== "/") words.push("--local-install-dir", toLocal(directory), "--host-root", root);
      if (runtime.interface === "nri-hook") {
        const socket = runtime.nri?.socket.path ?? "";
        words.push("--interface", "nri-hook", "--daemonize", "--nri-hook.socket", toLocal(socket));
      } else if (runtime.hooks_dirs[0] !== undefined) {
        words.push("--oci-hooks.local-dir", toLocal(runtime.hooks_dirs[0]));
      }
      return [render([...words, ...extra])];
    },
    patchContainerd(runtime, what) {
      const { path, edit_path, exists } = runtime.config;
      const isTemplateNew = edit_path !== path && files.kind(edit_path) === undefined;
      const to = isTemplateNew ? ["--output", toLocal(edit_path)] : ["--in-place"];
      const from = toLocal(isTemplateNew ? path : edit_path);
      const managed = runtime.distribution === "k0s" && exists;
      return [
        // containerd ran without a file until now; with one, only what is in it holds.
        ...(files.kind(isTemplateNew ? path : edit_path) === undefined
          ? [`${[...inRoot.map(quote), "containerd"].join(" ")} config default > ${quote(from)}`]
          : []),
        // As long as that line is there, k0s writes the file anew at each start (docs.k0sproject.io, runtime).
        ...(managed ? [`sed -i '/^# k0s_managed=true/d' ${quote(from)}`] : []),
        render(["patch-containerd-conf", what, "--config-file", from, ...to, ...hookFlags(what)]),
        restart(runtime),
      ];
    },
  };
}

const render = (words: readonly string[]): string => [PROGRAM, ...words].map(quote).join(" ");

/** For a POSIX shell: a path of somebody else's configuration is a word and never a command. */
const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
