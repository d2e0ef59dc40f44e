// SPDX-License-Identifier: Apache-2.0

import { toName } from "@rthooks/runtime-config";
import { PROGRAM } from "./commands-help.ts";
import { DEFAULT_HOOK, DEFAULT_INSTALL_DIR, DEFAULT_NRI_SOCKET, HOOK } from "./default-paths.ts";
import { findFlag } from "./find-flag.ts";
import type { NriPluginFacts, RuntimeFacts } from "./node-facts.ts";

/** A loader, its flag and its library path may precede the program. */
const MAX_WORDS_BEFORE = 3;
const SHOWN_WORDS = 4;

/** The facts in the command line; its metrics add whether the runtime has synchronized it. */
export type NriPluginProcess = Omit<NriPluginFacts, "unsynchronized">;

/** Parses the command line of a process; undefined if it is not an NRI plugin of this project. */
export function parseNriPlugin(pid: number, words: readonly string[]): NriPluginProcess | undefined {
  const names = words.slice(0, MAX_WORDS_BEFORE + 1).map(toName);
  const command = words.slice(0, SHOWN_WORDS).join(" ").trim();
  // A plugin that the runtime launches is named NN-name and has no arguments.
  if (/^\d\d-tetragon/.test(names[0] ?? ""))
    return { pid, command, socket: null, hook: null, mode: null, metrics_address: null };
  if (names.includes("tetragon-nri-hook")) {
    const mode = findMode(words, "--mode");
    return {
      pid,
      command,
      socket: findFlag(words, "--nri-socket") ?? DEFAULT_NRI_SOCKET,
      hook: mode === "direct" ? null : (findFlag(words, "--oci-hook-path") ?? DEFAULT_HOOK),
      mode,
      metrics_address: findFlag(words, "--metrics-address") ?? null,
    };
  }
  const isSetup = names.includes(PROGRAM) && words.includes("install");
  if (!isSetup || findFlag(words, "--interface") !== "nri-hook") return undefined;
  const directory =
    findFlag(words, "--host-install-dir") ?? findFlag(words, "--local-install-dir") ?? DEFAULT_INSTALL_DIR;
  const mode = findMode(words, "--nri-hook.mode");
  return {
    pid,
    command,
    socket: findFlag(words, "--nri-hook.socket") ?? DEFAULT_NRI_SOCKET,
    hook: mode === "direct" ? null : `${directory}/${HOOK}`,
    mode,
    metrics_address: findFlag(words, "--nri-hook.metrics-address") ?? null,
  };
}

function findMode(words: readonly string[], flag: string): NriPluginFacts["mode"] {
  const word = findFlag(words, flag);
  return word === "direct" || word === "auto" ? word : "inject";
}

/** The plugins that serve this runtime. */
export function findPluginsOf(
  plugins: readonly NriPluginFacts[],
  { nri }: Pick<RuntimeFacts, "nri">,
): readonly NriPluginFacts[] {
  if (nri === null) return [];
  // /var/run is a link to /run (Filesystem Hierarchy Standard 3.0, 5.13).
  const toReal = (path: string): string => path.replace(/^\/var\/run\//, "/run/");
  return plugins.filter(({ socket }) => socket === null || toReal(socket) === toReal(nri.socket.path));
}

/** From a plugin's metrics in the text format of Prometheus; null if the metric is missing. */
export function parseUnsynchronized(metrics: string): boolean | null {
  const value = /^tetragon_nri_hook_unsynchronized (\S+)$/m.exec(metrics)?.[1];
  return value === undefined ? null : Number(value) === 1;
}
