// SPDX-License-Identifier: Apache-2.0
// Events for clients of GetEvents and for the export file.

import { hostname, uptime } from "node:os";
import { err, ok, type Result } from "@rthooks/result";
import { type EventThread, startEventThread } from "../../events/edge/event-thread.ts";
import type { AgentOptions } from "./agent-options.ts";

/** Undefined where there are no programs that could report events. The caller ends the thread. */
export async function openEvents(options: AgentOptions): Promise<Result<EventThread | undefined, string>> {
  const { bpfDirectory, eventExport, kube, clusterName, log } = options;
  if (bpfDirectory === "") {
    if (eventExport !== undefined) {
      return err("--export-filename needs --enable-policy-filter: events come from BPF programs");
    }
    return ok(undefined);
  }
  const node = {
    nodeName: kube?.nodeName || hostname(),
    clusterName,
    bootNs: BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(uptime() * 1e9)),
    abi: process.arch,
  };
  const started = await startEventThread({ node, export: eventExport }, log);
  if (!started.ok) return err(`--export-filename: ${started.error}`);
  return started;
}
