// SPDX-License-Identifier: Apache-2.0

import { type CommandHelp, renderCompletion } from "@rthooks/flags/help";
import { pluginFlags } from "@rthooks/plugin";

const commands = [
  { name: "hook-args", summary: "end of the plugin's flags; flags of tetragon-oci-hook follow" },
  { name: "completion", summary: "print a completion script for bash, zsh or fish" },
];

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

export const pluginHelp: CommandHelp = {
  program: "tetragon-nri-hook",
  summary:
    "NRI plugin that holds each container until the Tetragon agent has its state in place: with " +
    "tetragon-oci-hook, which it adds to the container (inject mode), or by calling the agent itself (direct mode).",
  usage: ["tetragon-nri-hook [flags] [hook-args flags of tetragon-oci-hook]"],
  commands,
  examples: [
    "tetragon-nri-hook --mode auto",
    "tetragon-nri-hook --mode direct hook-args --fail-allow-namespaces kube-system,monitoring",
  ],
  flags: pluginFlags,
  exitCodes: [
    { code: 0, meaning: "ended by SIGTERM or SIGINT, or the runtime that launched it closed the connection" },
    { code: 1, meaning: "the plugin failed to start; standard error has the reason" },
    { code: 130, meaning: "ended by a second SIGTERM or SIGINT" },
  ],
};

/** Undefined for an unknown shell. */
export function renderPluginCompletion(shell: string): string | undefined {
  const known = shells.find((name) => name === shell);
  return known === undefined
    ? undefined
    : renderCompletion(known, { name: "tetragon-nri-hook", commands, flags: pluginFlags });
}
