// SPDX-License-Identifier: Apache-2.0
// The agent's sources of pods, containers and policies, as the overview of the node shows them.

import type { WatchedSource } from "../../explain/core/source-states.ts";
import type { AgentOptions } from "./agent-options.ts";

interface HasProblem {
  /** One line for users; empty where all is well. */
  problem(): string;
}

export interface AgentSources {
  readonly pods: HasProblem;
  /** Undefined where the flags do not select it. */
  readonly kubePolicies: { problems(): readonly string[] } | undefined;
  readonly policyFiles: HasProblem;
  readonly keptPolicies: HasProblem;
  readonly cri: HasProblem | undefined;
  readonly plugin: HasProblem;
  readonly hookLog: HasProblem;
  /** Whether the NRI plugin has reported containers that are on record. */
  hasPluginReports(): boolean;
}

type Selection = Pick<
  AgentOptions,
  "kube" | "podsFile" | "hookLog" | "policyFile" | "policyDirectory" | "policyArchive" | "watchesPolicies"
>;

export function listSources(options: Selection, sources: AgentSources): readonly WatchedSource[] {
  const { pods, kubePolicies, policyFiles, keptPolicies, cri, plugin, hookLog } = sources;
  const toSource = (name: string, isOn: boolean, source: HasProblem | undefined): WatchedSource => ({
    name,
    isOn: () => isOn,
    problem: () => (isOn ? (source?.problem() ?? "") : ""),
  });
  return [
    toSource("API server: pods", options.kube !== undefined, pods),
    toSource("pods file", options.podsFile !== "", pods),
    toSource("CRI", cri !== undefined, cri),
    { name: "NRI plugin", isOn: sources.hasPluginReports, problem: plugin.problem },
    toSource("hook log", options.hookLog !== "", hookLog),
    toSource("policy files", options.policyFile !== "" || options.policyDirectory !== "", policyFiles),
    toSource("kept policies", options.policyArchive !== "", keptPolicies),
    toSource("API server: policies", options.watchesPolicies, {
      problem: () => kubePolicies?.problems().join("; ") ?? "",
    }),
  ];
}
