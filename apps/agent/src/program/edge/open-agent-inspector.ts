// SPDX-License-Identifier: Apache-2.0
// The agent's inspector, if the flags ask for one. It opens before the machines that it inspects, and what it shows of the
// node comes when all parts are assembled.

import type { InspectorFacts } from "@rthooks/inspector";
import type { Inspect } from "@rthooks/machines/inspection";
import { containerMachine, podMachine } from "@rthooks/machines/pod";
import { ok, type Result } from "@rthooks/result";
import type { AgentOptions } from "./agent-options.ts";

export interface AgentInspector {
  /** Undefined without an inspector: nothing is inspected. */
  readonly inspect: Inspect | undefined;
  clients(): number;
  setFacts(facts: InspectorFacts): void;
}

/** Loaded on demand: most agents run without it. The error is one line. */
export async function openAgentInspector(
  { inspectAddress: address, inspectTokenFile: tokenFile, log }: AgentOptions,
  parts: DisposableStack,
): Promise<Result<AgentInspector, string>> {
  if (address === "") return ok({ inspect: undefined, clients: () => 0, setFacts: () => {} });
  const { openInspector } = await import("@rthooks/inspector");
  const { hookMachine } = await import("@rthooks/machines/hook/machine");
  const machines = [podMachine, containerMachine, hookMachine];
  let known: InspectorFacts | undefined;
  const facts: InspectorFacts = {
    explain: async (containerId) => await known?.explain(containerId),
    overview: () => known?.overview(),
  };
  const opened = openInspector({ address, tokenFile, program: "tetragon", machines, facts, log });
  if (!opened.ok) return opened;
  const { inspect, clients, close } = opened.value;
  parts.defer(close);
  return ok({
    inspect,
    clients,
    setFacts(later) {
      known = later;
    },
  });
}
