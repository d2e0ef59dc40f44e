// SPDX-License-Identifier: Apache-2.0
// Starts the agent, listens, and stops it.

import { type HealthServer, serveHealth } from "@rthooks/grpc";
import { isLoopback, renderAddress } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { writeInfoFile } from "../../api/edge/info-file.ts";
import { parseServerAddress, type ServerAddress } from "../../base/core/server-address.ts";
import type { AgentOptions } from "./agent-options.ts";
import { assembleAgent } from "./assemble-agent.ts";
import { claimPlaces } from "./claim-places.ts";

export interface RunOptions extends Omit<AgentOptions, "claimedDirectory"> {
  readonly serverAddresses: readonly string[];
  /** File with the first address, for clients; empty: none is written. */
  readonly infoFile: string;
  /** Of the health service; empty: none. */
  readonly healthAddress: string;
  /** Between two examinations of the health for clients that watch it. */
  readonly healthIntervalMs: number;
}

export interface Agent {
  readonly addresses: readonly ServerAddress[];
  /** Stops accepting calls and answers those in progress. True: all were answered in time. */
  stop(): Promise<boolean>;
}

/** Listens when it returns. The error is one line; everything that was started is stopped then. */
export async function runAgent({
  serverAddresses,
  infoFile,
  healthAddress,
  healthIntervalMs,
  ...options
}: RunOptions): Promise<Result<Agent, string>> {
  const { log } = options;
  if (serverAddresses.length === 0) return err("--server-address is empty: give at least one address");
  const addresses: ServerAddress[] = [];
  for (const text of serverAddresses) {
    const address = parseServerAddress(text);
    if (!address.ok) return address;
    addresses.push(address.value);
  }
  const parts = new DisposableStack();
  const places = await claimPlaces({ ...options, addresses }, parts);
  const assembled = places.ok ? await assembleAgent({ ...options, ...places.value }, parts) : places;
  if (!assembled.ok) {
    parts.dispose();
    return assembled;
  }
  const { server, serving, events, endEnforcement } = assembled.value;
  let health: HealthServer | undefined;
  /** `onDrained`: no container is let go any more. */
  const stop = async (onDrained = async (): Promise<void> => {}): Promise<boolean> => {
    serving.end();
    await health?.update();
    const isDrained = await server.drain(options.drainTimeoutMs);
    await onDrained();
    await events?.close();
    parts.dispose();
    return isDrained;
  };

  const listening: ServerAddress[] = [];
  for (const address of addresses) {
    const bound = await server.listen(address);
    if (!bound.ok) {
      await stop();
      return bound;
    }
    listening.push(bound.value);
    log.info("listening", { address: renderAddress(bound.value) });
    const { serverTls, allowsChangesOnTcp } = options;
    const hasClientCerts = serverTls !== undefined && serverTls.clientCaFiles.length > 0;
    if (address.kind === "tcp" && !hasClientCerts) {
      const missing = serverTls === undefined ? "neither TLS nor authentication" : "no authentication";
      log.warn(`the agent's TCP address has ${missing}`, {
        address: renderAddress(bound.value),
        reachable: isLoopback(address.host) ? "every user and host-network pod of this node" : "the network",
        allowed: allowsChangesOnTcp ? "all calls" : "read-only calls",
      });
    }
  }
  serving.begin(listening);
  if (healthAddress !== "") {
    const { check } = serving;
    const opened = await serveHealth({ address: healthAddress, intervalMs: healthIntervalMs, check, log });
    if (!opened.ok) {
      await stop();
      return err(`--health-server-address ${opened.error}`);
    }
    health = opened.value;
    parts.defer(health.close);
    log.info("health service listens", { address: healthAddress });
  }
  const [first] = listening;
  const serverAddress = first === undefined ? "" : renderAddress(first);
  const { metricsAddress, bpfDirectory: mapDirectory } = options;
  parts.defer(writeInfoFile(infoFile, { serverAddress, metricsAddress, mapDirectory }, log));
  return ok({ addresses: listening, stop: () => stop(endEnforcement) });
}
