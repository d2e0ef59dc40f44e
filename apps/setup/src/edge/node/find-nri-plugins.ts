// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { parseAddress } from "@rthooks/net";
import { findInRoot } from "@rthooks/runtime-config/files";
import type { NriPluginFacts } from "../../core/node-facts.ts";
import { type NriPluginProcess, parseNriPlugin, parseUnsynchronized } from "../../core/nri-plugin-process.ts";

const MAX_BYTES = 4096;

/** The NRI plugins among the node's processes; empty if its /proc cannot be read. */
export function findNriPlugins(root: string): readonly NriPluginProcess[] {
  const proc = join(root, "proc");
  if (!existsSync(proc)) return [];
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => parseNriPlugin(Number(pid), readCommandLine(join(proc, pid, "cmdline"))))
    .filter((plugin) => plugin !== undefined);
}

/** The same, with the facts of their metrics if these can be read from here. */
export const detectNriPlugins = (root: string): Promise<readonly NriPluginFacts[]> =>
  Promise.all(
    findNriPlugins(root).map(async (plugin) => {
      const { metrics_address } = plugin;
      const metrics = metrics_address === null ? undefined : await readMetrics(root, metrics_address);
      return { ...plugin, unsynchronized: metrics === undefined ? null : parseUnsynchronized(metrics) };
    }),
  );

const LIMIT_MS = 1000;
const MAX_CHARACTERS = 1024 * 1024;

async function readMetrics(root: string, address: string): Promise<string | undefined> {
  const parsed = parseAddress(address);
  const path = parsed.ok && parsed.value.kind === "unix" ? parsed.value.path : undefined;
  // A wildcard address includes the loopback address.
  const host = address.replace(/^(?:0\.0\.0\.0|\[::\])?:(?=\d+$)/, "127.0.0.1:");
  try {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const answer =
      path === undefined
        ? await fetch(`http://${host}/metrics`, { signal, proxy: "" })
        : await fetch("http://localhost/metrics", { signal, unix: findInRoot(root, path) ?? path });
    if (!answer.ok) return undefined;
    return (await answer.text()).slice(0, MAX_CHARACTERS);
  } catch {
    return undefined;
  }
}

function readCommandLine(path: string): readonly string[] {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(MAX_BYTES);
      return bytes.toString("utf8", 0, readSync(file, bytes)).split("\0");
    } finally {
      closeSync(file);
    }
  } catch {
    // The process has ended.
    return [];
  }
}
