// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { findInRoot } from "@rthooks/runtime-config/files";
import type { NriPluginFacts } from "../../core/node-facts.ts";
import { type NriPluginProcess, parseNriPlugin, parseUnsynchronized } from "../../core/nri-plugin-process.ts";

const MAX_BYTES = 4096;

/** Of the node's processes; none where its /proc is not seen. */
export function findNriPlugins(root: string): readonly NriPluginProcess[] {
  const proc = join(root, "proc");
  if (!existsSync(proc)) return [];
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => parseNriPlugin(Number(pid), readCommandLine(join(proc, pid, "cmdline"))))
    .filter((plugin) => plugin !== undefined);
}

/** The same, and what their metrics say where they can be reached from here. */
export const askNriPlugins = (root: string): Promise<readonly NriPluginFacts[]> =>
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
  const path = /^unix:(?:\/\/)?(\/.*)$/.exec(address)?.[1];
  // One that listens everywhere is here too.
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
    // It has ended.
    return [];
  }
}
