// SPDX-License-Identifier: Apache-2.0
// From the command line to what it asks for; gives the exit code.

import { resolve } from "node:path";
import { parseArguments, resolveFlags } from "@rthooks/flags";
import { createLogWriter, logFormats, logLevels, nowNanos } from "@rthooks/log";
import { raisePriority } from "@rthooks/sys/priority";
import { agentFlags, plainFlags, statusFlags } from "../core/flag-tables.ts";
import { parseServerAddress } from "../core/server-address.ts";
import { renderStatusJson, renderStatusTable } from "../core/status-table.ts";
import type { HelpTopic } from "./help.ts";
import { runAgent } from "./run-agent.ts";
import { waitForSignal } from "./signals.ts";
import { fetchContainers } from "./status-client.ts";

export async function runCommand(argv: readonly string[], version: string): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case "status":
      return await showStatus(rest);
    case "version":
      return await showVersion(rest, version);
    case "completion":
      return await showCompletion(rest);
    case "help":
      return await showHelp("");
    default:
      return await serve(argv, version);
  }
}

function fail(message: string): number {
  process.stderr.write(`tetragon: ${message}\n`);
  return 1;
}

async function serve(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(agentFlags, argv);
  if (!parsed.ok) return fail(`${parsed.error.message}; see tetragon --help`);
  const [stray] = parsed.value.positionals;
  const flags = resolveFlags(agentFlags, parsed.value.given);
  if (flags.help) return await showHelp("");
  if (flags.version) return await showVersion([], version);
  if (stray !== undefined) return fail(`unknown command ${JSON.stringify(stray)}; see tetragon --help`);
  const format = logFormats.find((known) => known === flags["log-format"]) ?? "text";
  const level = logLevels.find((known) => known === flags["log-level"]) ?? "info";
  const log = createLogWriter(process.stderr.fd, format, level);
  process.on("exit", log.flush);
  const signal = waitForSignal(log);
  raisePriority();
  const agent = await runAgent({
    serverAddresses: flags["server-address"],
    podsFile: flags["pods-file"],
    cgroupRoot: flags["cgroup-root"],
    procfs: flags.procfs,
    bpfDirectory: flags["enable-policy-filter"] ? resolve("/sys/fs/bpf", flags["bpf-dir"]) : "",
    sweepIntervalMs: flags["sweep-interval"],
    failureRetentionMs: flags["failure-retention"],
    drainTimeoutMs: flags["drain-timeout"],
    version,
    log,
  });
  if (!agent.ok) {
    await log.drain();
    process.exit(fail(agent.error));
  }
  await signal;
  if (await agent.value.stop()) log.info("stopped");
  else log.warn("stopped with calls unanswered: --drain-timeout was over");
  await log.drain();
  process.exit(0);
}

async function showStatus(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(statusFlags, argv);
  if (!parsed.ok) return fail(`status: ${parsed.error.message}; see tetragon status --help`);
  const flags = resolveFlags(statusFlags, parsed.value.given);
  if (flags.help) return await showHelp("status");
  const [stray] = parsed.value.positionals;
  if (stray !== undefined) return fail(`status: unexpected argument ${JSON.stringify(stray)}`);
  const problems: string[] = [];
  for (const text of flags["server-address"]) {
    const address = parseServerAddress(text);
    if (!address.ok) return fail(`status: ${address.error}`);
    const records = await fetchContainers(address.value, flags.timeout);
    if (records.ok) {
      const isJson = flags.output === "json";
      process.stdout.write(
        isJson ? renderStatusJson(records.value) : renderStatusTable(records.value, nowNanos()),
      );
      return 0;
    }
    problems.push(records.error);
  }
  return fail(problems.length === 0 ? "status: --server-address is empty" : problems.join("\n"));
}

async function showVersion(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(plainFlags, argv);
  if (!parsed.ok) return fail(`version: ${parsed.error.message}`);
  if (parsed.value.given.help === true) return await showHelp("version");
  process.stdout.write(`tetragon ${version}\n`);
  return 0;
}

async function showCompletion(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(plainFlags, argv);
  if (!parsed.ok) return fail(`completion: ${parsed.error.message}`);
  if (parsed.value.given.help === true) return await showHelp("completion");
  const { renderShellCompletion } = await import("./help.ts");
  const [shell = ""] = parsed.value.positionals;
  const script = renderShellCompletion(shell);
  if (script === undefined)
    return fail(`completion: ${JSON.stringify(shell)} is no shell: bash, zsh or fish`);
  process.stdout.write(script);
  return 0;
}

async function showHelp(topic: HelpTopic): Promise<number> {
  const { renderCommandHelp } = await import("./help.ts");
  process.stdout.write(renderCommandHelp(topic));
  return 0;
}
