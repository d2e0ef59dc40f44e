// SPDX-License-Identifier: Apache-2.0
// Help and completion, loaded only when they are asked for.

import { renderCompletion, renderHelp } from "@rthooks/flags/help";
import { agentFlags, commands, plainFlags, statusFlags } from "../core/flag-tables.ts";

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

export type HelpTopic = "" | "status" | "policies" | "version" | "completion";

export function renderCommandHelp(topic: HelpTopic): string {
  switch (topic) {
    case "status":
      return renderHelp(
        {
          program: "tetragon status",
          summary:
            "Shows the containers that the running agent knows: pod, container, cgroup id, state, when and how it learned of them.",
          usage: ["tetragon status [-o text|json] [--server-address ADDRESS]"],
        },
        statusFlags,
      );
    case "policies":
      return renderHelp(
        {
          program: "tetragon policies",
          summary:
            "Shows the tracing policies that the running agent has: where each comes from, its state and mode, the id of its filter in the kernel's maps, and what is wrong with it.",
          usage: ["tetragon policies [-o text|json] [--server-address ADDRESS]"],
        },
        statusFlags,
      );
    case "version":
      return renderHelp(
        { program: "tetragon version", summary: "Prints the version.", usage: ["tetragon version"] },
        plainFlags,
      );
    case "completion":
      return renderHelp(
        {
          program: "tetragon completion",
          summary: "Prints a completion script for the shell.",
          usage: ["tetragon completion bash|zsh|fish"],
          examples: ["source <(tetragon completion bash)"],
        },
        plainFlags,
      );
    case "":
      return renderHelp(
        {
          program: "tetragon",
          summary:
            "The node agent: it is told of each container by the runtime hook before the container's first instruction, finds its pod and cgroup, and then lets it go.",
          usage: ["tetragon [flags]", "tetragon status|policies|version|completion [flags]"],
          commands,
          examples: ["tetragon --pods-file pods.json --log-format json", "tetragon status -o json"],
        },
        agentFlags,
      );
  }
}

/** Undefined for a shell that is not known. */
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
