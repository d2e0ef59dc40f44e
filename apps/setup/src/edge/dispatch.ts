// SPDX-License-Identifier: Apache-2.0

import { renderHelp } from "@rthooks/flags/help";
import { createLogWriter } from "@rthooks/log";
import { type Command, exitCode, type Io } from "../core/command.ts";
import { describeCommand, describeProgram, PROGRAM, renderSetupCompletion } from "../core/commands-help.ts";
import { findCandidates, findCommand } from "../core/find-command.ts";

const asksForHelp = (argv: readonly string[], untilHookArgs: boolean): boolean => {
  const at = untilHookArgs ? argv.indexOf("hook-args") : -1;
  const own = at === -1 ? argv : argv.slice(0, at);
  return own.includes("--help") || own.includes("-h");
};

/** Runs the command that `argv` names and returns its exit code. */
export async function dispatch(
  commands: readonly Command[],
  argv: readonly string[],
  version: string,
): Promise<number> {
  const log = createLogWriter(process.stderr.fd, "text", "info");
  const io: Io = {
    version,
    log,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  };
  const code = await run(commands, argv, io);
  await log.drain();
  return code;
}

async function run(commands: readonly Command[], argv: readonly string[], io: Io): Promise<number> {
  const [word, next = ""] = argv;
  const found = findCommand(commands, argv);
  if (found !== undefined) {
    if (!asksForHelp(found.argv, found.command.takesHookArgs === true)) {
      return found.command.run(found.argv, io);
    }
    io.stdout(renderHelp(describeCommand(found.command)));
    return exitCode.ok;
  }
  const candidates = findCandidates(commands, word);
  switch (word) {
    case undefined:
      io.stderr(renderHelp(describeProgram(commands)));
      return exitCode.usage;
    case "help":
    case "--help":
    case "-h":
      io.stdout(renderHelp(describeProgram(commands)));
      return exitCode.ok;
    case "version":
    case "--version":
      io.stdout(`${PROGRAM} ${io.version}\n`);
      return exitCode.ok;
    case "completion": {
      const script = renderSetupCompletion(commands, next);
      if (script !== undefined) {
        io.stdout(script);
        return exitCode.ok;
      }
      io.stderr(`${PROGRAM}: completion needs a shell: ${PROGRAM} completion bash|zsh|fish\n`);
      return exitCode.usage;
    }
  }
  if (candidates !== commands && asksForHelp(argv, false)) {
    io.stdout(renderHelp(describeProgram(candidates)));
    return exitCode.ok;
  }
  const names = candidates.map(({ name }) => name).join(", ");
  io.stderr(
    `${PROGRAM}: unknown command ${JSON.stringify(argv.slice(0, 2).join(" "))}; available: ${names}\n`,
  );
  return exitCode.usage;
}
