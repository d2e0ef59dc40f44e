// SPDX-License-Identifier: Apache-2.0
// Help and completion, loaded on demand.

import { type CommandHelp, renderCompletion } from "@rthooks/flags/help";
import { agentFlags, commands, plainFlags, statusFlags } from "../core/flag-tables.ts";

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

export type HelpTopic = "" | "status" | "policies" | "version" | "completion";

const clientExitCodes = [
  { code: 0, meaning: "the agent answered" },
  { code: 1, meaning: "it did not, or the command line is wrong" },
];

export const helpTopics: Readonly<Record<HelpTopic, CommandHelp>> = {
  "": {
    program: "tetragon",
    summary:
      "The node agent. Runtime hooks report each container before its first instruction; the agent finds the pod and the cgroup, updates the BPF maps, and then releases the container.",
    usage: ["tetragon [flags]", "tetragon status|policies|version|completion [flags]"],
    commands,
    flags: agentFlags,
    exitCodes: [
      {
        code: 0,
        meaning: "ended by SIGTERM or SIGINT, when all calls were answered or --drain-timeout was over",
      },
      { code: 1, meaning: "could not start; standard error says why in one line" },
      { code: 130, meaning: "ended by a second SIGTERM or SIGINT, without answers to the calls under way" },
    ],
    examples: ["tetragon --pods-file pods.json --log-format json", "tetragon status -o json"],
  },
  status: {
    program: "tetragon status",
    summary:
      "Shows the containers on record in the running agent: pod, container, cgroup id, state, age, and the source that reported them.",
    usage: ["tetragon status [-o table|json|yaml] [--server-address ADDRESS]"],
    flags: statusFlags,
    exitCodes: clientExitCodes,
  },
  policies: {
    program: "tetragon policies",
    summary:
      "Shows the tracing policies of the running agent: domain, state and mode, the id of the filter in the BPF maps, and the error of a policy that is not in force.",
    usage: ["tetragon policies [-o table|json|yaml] [--server-address ADDRESS]"],
    flags: statusFlags,
    exitCodes: clientExitCodes,
  },
  version: {
    program: "tetragon version",
    summary: "Prints the version.",
    usage: ["tetragon version"],
    flags: plainFlags,
  },
  completion: {
    program: "tetragon completion",
    summary: "Prints a completion script for the shell.",
    usage: ["tetragon completion bash|zsh|fish"],
    flags: plainFlags,
    examples: ["source <(tetragon completion bash)"],
  },
};

/** Undefined for an unknown shell. */
export function renderShellCompletion(shell: string): string | undefined {
  const known = shells.find((name) => name === shell);
  return known === undefined
    ? undefined
    : renderCompletion(known, {
        name: "tetragon",
        commands,
        flags: { ...statusFlags, ...agentFlags },
      });
}
