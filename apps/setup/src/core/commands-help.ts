// SPDX-License-Identifier: Apache-2.0

import type { FlagTable } from "@rthooks/flags";
import { flag } from "@rthooks/flags";
import { type CommandHelp, renderCompletion } from "@rthooks/flags/help";
import { type Command, exitCode } from "./command.ts";

export const PROGRAM = "tetragon-oci-hook-setup";

const helpFlags = {
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const;

export function describeCommand(command: Command): CommandHelp {
  const { name, summary, flags, takesHookArgs, words, examples, exitCodes } = command;
  const usage = [
    `${PROGRAM} ${name} [flags]`,
    ...(words === undefined ? [] : [words]),
    ...(takesHookArgs === true ? ["[hook-args flags of tetragon-oci-hook]"] : []),
  ];
  return {
    program: `${PROGRAM} ${name}`,
    summary,
    usage: [usage.join(" ")],
    flags: { ...flags, help: helpFlags.help },
    ...(exitCodes === undefined ? {} : { exitCodes }),
    ...(examples === undefined ? {} : { examples }),
  };
}

export const describeProgram = (commands: readonly Command[]): CommandHelp => ({
  program: PROGRAM,
  summary:
    "Installs tetragon-oci-hook on a node, configures the node's container runtime to call it, and examines a node.",
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
  flags: helpFlags,
  exitCodes: [
    { code: exitCode.ok, meaning: "success" },
    { code: exitCode.failed, meaning: "failure; no change is half done" },
    { code: exitCode.usage, meaning: "wrong command line" },
    { code: exitCode.changeNeeded, meaning: "a change is needed (--check), or a check failed (doctor)" },
  ],
});

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

/** Undefined for an unsupported shell. */
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
