// SPDX-License-Identifier: Apache-2.0

import { PROGRAM } from "./commands-help.ts";
import { HOOK } from "./find-hook-configs.ts";
import { toFileName } from "./hook-command.ts";
import { DEFAULT_INSTALL_DIR } from "./install-flags.ts";
import type { NriPluginFacts, RuntimeFacts } from "./node-facts.ts";

/** A loader and its library path may stand before the program. */
const MAX_WORDS_BEFORE = 3;
const SHOWN_WORDS = 4;
const DEFAULT_HOOK = `${DEFAULT_INSTALL_DIR}/${HOOK}`;
const DEFAULT_SOCKET = "/var/run/nri/nri.sock";

/** What its command line says; whether the runtime has synchronized it is asked of its metrics. */
export type NriPluginProcess = Omit<NriPluginFacts, "unsynchronized">;

/** Of a process; undefined unless its command line is that of a program that adds the hook by NRI. */
export function parseNriPlugin(pid: number, words: readonly string[]): NriPluginProcess | undefined {
  const names = words.slice(0, MAX_WORDS_BEFORE + 1).map(toFileName);
  const command = words.slice(0, SHOWN_WORDS).join(" ").trim();
  // One that the runtime launches is called NN-name, and has no arguments.
  if (/^\d\d-tetragon/.test(names[0] ?? ""))
    return { pid, command, socket: null, hook: null, mode: null, metrics_address: null };
  if (names.includes("tetragon-nri-hook")) {
    const mode = findMode(words, "--mode");
    return {
      pid,
      command,
      socket: findValue(words, "--nri-socket") ?? DEFAULT_SOCKET,
      hook: mode === "direct" ? null : (findValue(words, "--oci-hook-path") ?? DEFAULT_HOOK),
      mode,
      metrics_address: findValue(words, "--metrics-address") ?? null,
    };
  }
  const isSetup = names.includes(PROGRAM) && words.includes("install");
  if (!isSetup || findValue(words, "--interface") !== "nri-hook") return undefined;
  const directory =
    findValue(words, "--host-install-dir") ?? findValue(words, "--local-install-dir") ?? DEFAULT_INSTALL_DIR;
  const mode = findMode(words, "--nri-hook.mode");
  return {
    pid,
    command,
    socket: findValue(words, "--nri-hook.socket") ?? DEFAULT_SOCKET,
    hook: mode === "direct" ? null : `${directory}/${HOOK}`,
    mode,
    metrics_address: findValue(words, "--nri-hook.metrics-address") ?? null,
  };
}

function findMode(words: readonly string[], flag: string): NriPluginFacts["mode"] {
  const word = findValue(words, flag);
  return word === "direct" || word === "auto" ? word : "inject";
}

function findValue(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  if (word === undefined) return undefined;
  return word === flag ? words[at + 1] : word.slice(flag.length + 1);
}

/** Those that serve this runtime. */
export function findPluginsOf(
  plugins: readonly NriPluginFacts[],
  { nri }: Pick<RuntimeFacts, "nri">,
): readonly NriPluginFacts[] {
  if (nri === null) return [];
  // The one leads to the other (Filesystem Hierarchy Standard 3.0, 5.13).
  const toReal = (path: string): string => path.replace(/^\/var\/run\//, "/run/");
  return plugins.filter(({ socket }) => socket === null || toReal(socket) === toReal(nri.socket.path));
}

/** Of its metrics in Prometheus' text form; null where they do not say. */
export function parseUnsynchronized(metrics: string): boolean | null {
  const value = /^tetragon_nri_hook_unsynchronized (\S+)$/m.exec(metrics)?.[1];
  return value === undefined ? null : Number(value) === 1;
}
