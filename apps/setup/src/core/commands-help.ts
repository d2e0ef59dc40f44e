// SPDX-License-Identifier: Apache-2.0

import type { FlagTable } from "@rthooks/flags";
import { flag } from "@rthooks/flags";
import { renderCompletion, renderHelp } from "@rthooks/flags/help";
import type { Command } from "./command.ts";

export const PROGRAM = "tetragon-oci-hook-setup";

const helpFlags = {
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const;

export const renderCommandHelp = ({ name, summary, flags, takesHookArgs, examples }: Command): string =>
  renderHelp(
    {
      program: `${PROGRAM} ${name}`,
      summary,
      usage: [
        `${PROGRAM} ${name} [flags]${takesHookArgs === true ? " [hook-args flags of tetragon-oci-hook]" : ""}`,
      ],
      ...(examples === undefined ? {} : { examples }),
    },
    { ...flags, help: helpFlags.help },
  );

export const renderOverview = (commands: readonly Command[]): string =>
  renderHelp(
    {
      program: PROGRAM,
      summary:
        "Installs tetragon-oci-hook on a node, tells the node's container runtime to call it, and finds out what is missing for that.",
      usage: [`${PROGRAM} COMMAND [flags]`],
      commands: [
        ...commands.map(({ name, summary }) => ({ name, summary })),
        { name: "completion", summary: "print a completion script for bash, zsh or fish" },
      ],
      examples: [
        `${PROGRAM} doctor`,
        `${PROGRAM} install --host-install-dir /opt/tetragon`,
        `${PROGRAM} install --interface nri-hook --daemonize hook-args --fail-allow-namespaces kube-system`,
      ],
    },
    helpFlags,
  );

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

/** Undefined for a shell that is not known. */
export function renderSetupCompletion(commands: readonly Command[], shell: string): string | undefined {
  const known = shells.find((name) => name === shell);
  if (known === undefined) return undefined;
  const flags: FlagTable = Object.assign({}, ...commands.map((command) => command.flags), helpFlags);
  const groups = new Map<string, string>();
  for (const { name, summary } of commands) {
    const [first = ""] = name.split(" ");
    if (!groups.has(first)) groups.set(first, summary);
  }
  return renderCompletion(known, {
    name: PROGRAM,
    commands: [...groups].map(([name, summary]) => ({ name, summary })),
    flags,
  });
}
