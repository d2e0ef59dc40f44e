// SPDX-License-Identifier: Apache-2.0

import { type CommandHelp, renderCompletion, renderHelp } from "@rthooks/flags/help";
import { type HookConfig, hookFlags } from "@rthooks/hold";
import { err, ok, type Result } from "@rthooks/result";

const commands = [
  { name: "createRuntime", summary: "hold the container until the agent releases it (OCI stage)" },
  { name: "prestart", summary: "the same, for runtimes that support only the older OCI stage" },
  { name: "createContainer", summary: "do nothing (OCI stage, accepted for compatibility)" },
  { name: "poststop", summary: "do nothing (OCI stage, accepted for compatibility)" },
  { name: "server-version", summary: "ask the agent for its version and print it" },
  { name: "completion", summary: "print a completion script for bash, zsh or fish" },
];

export const hookHelp: CommandHelp = {
  program: "tetragon-oci-hook",
  summary:
    "OCI hook that holds a container until the Tetragon agent has its state in place. The container " +
    "runtime runs it; exit code 0 releases the container, 1 denies it.",
  usage: ["tetragon-oci-hook <stage> [flags]"],
  commands,
  flags: hookFlags,
  exitCodes: [
    { code: 0, meaning: "the container is released" },
    { code: 1, meaning: "the container is denied, or the configuration is invalid" },
  ],
};

/** What --help, --version and `completion SHELL` print. */
export function renderAnswer(
  given: Partial<HookConfig>,
  positionals: readonly string[],
  version: string,
): Result<string, string> {
  if (given.help === true) return ok(renderHelp(hookHelp));
  if (given.version === true) return ok(`tetragon-oci-hook ${version}\n`);
  const [, shell] = positionals;
  return shell === "bash" || shell === "zsh" || shell === "fish"
    ? ok(renderCompletion(shell, { name: "tetragon-oci-hook", commands, flags: hookFlags }))
    : err("missing or unknown shell: tetragon-oci-hook completion bash|zsh|fish");
}
