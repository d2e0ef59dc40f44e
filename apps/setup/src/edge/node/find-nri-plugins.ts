// SPDX-License-Identifier: Apache-2.0

import { type Address, parseAddress, renderAddress } from "@rthooks/net";
import { findInRoot } from "@rthooks/runtime-config/files";
import type { NriPluginFacts } from "../../core/node-facts.ts";
import { type NriPluginProcess, parseNriPlugin, parseUnsynchronized } from "../../core/nri-plugin-process.ts";
import { listCommandLines } from "./command-lines.ts";

/** The NRI plugins among the node's processes; empty if its /proc cannot be read. */
export function findNriPlugins(root: string): readonly NriPluginProcess[] {
  return listCommandLines(root)
    .map(({ pid, words }) => parseNriPlugin(pid, words))
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

async function readMetrics(root: string, text: string): Promise<string | undefined> {
  const parsed = parseAddress(text);
  if (!parsed.ok) return undefined;
  try {
    const answer = await fetchMetrics(root, parsed.value);
    if (!answer.ok) return undefined;
    return (await answer.text()).slice(0, MAX_CHARACTERS);
  } catch {
    return undefined;
  }
}

/** A wildcard address includes the loopback address. */
const wildcards: readonly string[] = ["", "0.0.0.0", "::"];

function fetchMetrics(root: string, address: Address): Promise<Response> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  if (address.kind === "unix") {
    return fetch("http://localhost/metrics", {
      signal,
      unix: findInRoot(root, address.path) ?? address.path,
    });
  }
  const { host, port = 80 } = address;
  const target = renderAddress({ kind: "tcp", host: wildcards.includes(host) ? "127.0.0.1" : host, port });
  return fetch(`http://${target}/metrics`, { signal, proxy: "" });
}
