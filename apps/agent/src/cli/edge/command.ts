// SPDX-License-Identifier: Apache-2.0
// Runs what the command line asks for, and returns the exit code.

import { parseContainerQuery } from "@rthooks/explain";
import {
  COMPLETE_COMMAND,
  type FlagTable,
  type FlagValues,
  parseArguments,
  resolveFlags,
} from "@rthooks/flags";
import { parseFollowRequest } from "@rthooks/follow/flags";
import { nowNanos } from "@rthooks/log";
import type { Result } from "@rthooks/result";
import { renderDocument, type Screen, toOutputFormat, toPrintable } from "@rthooks/terminal";
import { openScreen } from "@rthooks/terminal/screen";
import { isHealthy } from "../../api/core/health.ts";
import { toEventQuery } from "../core/event-query.ts";
import { renderExplanations, toExplanationsDocument } from "../core/explanation-text.ts";
import {
  eventsFlags,
  explainFlags,
  followCommandFlags,
  inspectCommandFlags,
  plainFlags,
  statusFlags,
  watchFlags,
} from "../core/flag-tables.ts";
import { renderPolicies, toPoliciesDocument } from "../core/policies-table.ts";
import { renderStatus, toStatusDocument } from "../core/status-table.ts";
import { type AgentEndpoint, type EndpointFlags, listEndpoints } from "./agent-endpoints.ts";
import { fail, showHelp, showVersion } from "./command-output.ts";
import type { HelpTopic } from "./help.ts";
import { serveAgent } from "./serve-agent.ts";
import { fetchExplanations, fetchPolicies, fetchStatus } from "./status-client.ts";
import { watchAgents } from "./watch-agents.ts";

export async function runCommand(argv: readonly string[], version: string): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case "status":
      return await show(rest, "status", fetchStatus, {
        lines({ health, containers }, screen) {
          // On stderr: other programs may read the table.
          if (!isHealthy(health)) process.stderr.write(`the agent is ${toPrintable(health)}\n`);
          return renderStatus(containers, nowNanos(), screen);
        },
        document: ({ health, containers }) => toStatusDocument(health, containers),
      });
    case "policies":
      return await show(rest, "policies", fetchPolicies, {
        lines: renderPolicies,
        document: toPoliciesDocument,
      });
    case "explain":
      return await explain(rest);
    case "watch":
      return await watch(rest);
    case "events":
      return await events(rest);
    case "follow":
      return await follow(rest);
    case "inspect":
      return await inspect(rest);
    case "version":
      return await showVersion(rest, version);
    case "completion":
      return await showCompletion(rest);
    case COMPLETE_COMMAND:
      return await printNames(rest);
    case "help":
      return await showHelp("");
    default:
      return await serveAgent(argv, version);
  }
}

type CommandFlags = FlagTable & { readonly help: typeof plainFlags.help };

/** The flags and arguments of a command; the exit code where help or an error was printed instead. */
async function readCommand<Flags extends CommandFlags>(
  topic: Exclude<HelpTopic, "">,
  table: Flags,
  argv: readonly string[],
  maxArguments = 0,
): Promise<{ readonly flags: FlagValues<Flags>; readonly positionals: readonly string[] } | number> {
  const parsed = parseArguments(table, argv);
  if (!parsed.ok) return fail(`${topic}: ${parsed.error.message}; see tetragon ${topic} --help`);
  const { given, positionals } = parsed.value;
  const flags = resolveFlags(table, given);
  if (flags.help) return await showHelp(topic);
  const stray = positionals[maxArguments];
  if (stray !== undefined)
    return fail(`${topic}: unexpected argument ${JSON.stringify(stray)}; see tetragon ${topic} --help`);
  return { flags, positionals };
}

interface Rendering<T> {
  /** For people. */
  lines(value: T, screen: Screen): readonly string[];
  /** Plain JSON, for programs. */
  document(value: T): unknown;
}

/** A command without arguments. */
async function show<T>(
  argv: readonly string[],
  topic: "status" | "policies",
  fetch: (endpoint: AgentEndpoint, timeoutMs: number) => Promise<Result<T, string>>,
  rendering: Rendering<T>,
): Promise<number> {
  const read = await readCommand(topic, statusFlags, argv);
  return typeof read === "number" ? read : await printAnswer(read.flags, topic, fetch, rendering);
}

async function explain(argv: readonly string[]): Promise<number> {
  const read = await readCommand("explain", explainFlags, argv, 1);
  if (typeof read === "number") return read;
  const [text] = read.positionals;
  if (text === undefined)
    return fail("explain: name a container: NAMESPACE/POD, NAMESPACE/POD/CONTAINER, or a container id");
  const query = parseContainerQuery(text);
  if (!query.ok) return fail(`explain: ${query.error}`);
  return await printAnswer(read.flags, "explain", fetchExplanations(query.value), {
    lines: renderExplanations,
    document: toExplanationsDocument,
  });
}

type AnswerFlags = EndpointFlags & Pick<FlagValues<typeof statusFlags>, "timeout" | "output">;

/** Prints the answer of the first agent that gives one. */
async function printAnswer<T>(
  flags: AnswerFlags,
  topic: "status" | "policies" | "explain",
  fetch: (endpoint: AgentEndpoint, timeoutMs: number) => Promise<Result<T, string>>,
  rendering: Rendering<T>,
): Promise<number> {
  const endpoints = await listEndpoints(flags);
  if (!endpoints.ok) return fail(`${topic}: ${endpoints.error}`);
  const problems: string[] = [];
  for (const endpoint of endpoints.value) {
    const answer = await fetch(endpoint, flags.timeout);
    if (answer.ok) {
      const format = toOutputFormat(flags.output);
      process.stdout.write(
        format === "table"
          ? `${rendering.lines(answer.value, openScreen(process.stdout, process.env)).join("\n")}\n`
          : renderDocument(format, rendering.document(answer.value)),
      );
      return 0;
    }
    problems.push(answer.error);
  }
  return fail(problems.join("\n"));
}

async function watch(argv: readonly string[]): Promise<number> {
  const read = await readCommand("watch", watchFlags, argv);
  if (typeof read === "number") return read;
  const { flags } = read;
  const endpoints = await listEndpoints(flags);
  if (!endpoints.ok) return fail(`watch: ${endpoints.error}`);
  const ended = await watchAgents({
    endpoints: endpoints.value,
    timeoutMs: flags.timeout,
    format: toOutputFormat(flags.output),
    selection: {
      namespaces: flags.namespace,
      pods: flags.pod,
      states: flags.state,
      changesOnly: flags["changes-only"],
    },
  });
  return ended.ok ? 0 : fail(ended.error);
}

async function events(argv: readonly string[]): Promise<number> {
  const read = await readCommand("events", eventsFlags, argv);
  if (typeof read === "number") return read;
  const { flags } = read;
  const query = toEventQuery(flags);
  if (!query.ok) return fail(`events: ${query.error}`);
  const { showEvents } = await import("./events-command.ts");
  const given = parseArguments(eventsFlags, argv);
  const hasAddress = given.ok && given.value.given["server-address"] !== undefined;
  const endpoints = await listEndpoints(flags);
  if (!endpoints.ok) return fail(`events: ${endpoints.error}`);
  const ended = await showEvents({
    endpoints: endpoints.value,
    timeoutMs: flags.timeout,
    format: toOutputFormat(flags.output),
    withTimes: flags.timestamps,
    query: query.value,
    mayReadInput: !hasAddress,
  });
  return ended.ok ? 0 : fail(ended.error);
}

/** Never an error: the shell would write it into the line that the user types. */
async function printNames(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(statusFlags, argv);
  if (!parsed.ok) return 0;
  const [kind = "", prefix = ""] = parsed.value.positionals;
  const flags = resolveFlags(statusFlags, { timeout: completionTimeoutMs }, parsed.value.given);
  const { completeNames } = await import("../core/complete-names.ts");
  const endpoints = await listEndpoints(flags);
  for (const endpoint of endpoints.ok ? endpoints.value : []) {
    const answer = await fetchStatus(endpoint, flags.timeout);
    if (!answer.ok) continue;
    const names = completeNames(kind, prefix, answer.value.containers);
    process.stdout.write(names.map((name) => `${name}\n`).join(""));
    return 0;
  }
  return 0;
}

/** A user waits for the shell. */
const completionTimeoutMs = 800;

async function follow(argv: readonly string[]): Promise<number> {
  const read = await readCommand("follow", followCommandFlags, argv, Number.POSITIVE_INFINITY);
  if (typeof read === "number") return read;
  const request = parseFollowRequest(read.positionals, read.flags);
  if (!request.ok) return fail(`follow: ${request.error}; see tetragon follow --help`);
  const { path } = request.value;
  const { printLines } = await import("@rthooks/follow/print-lines");
  await printLines(request.value, (problem) => void fail(`follow: ${path}: ${toPrintable(problem)}`));
  return 0;
}

async function inspect(argv: readonly string[]): Promise<number> {
  const read = await readCommand("inspect", inspectCommandFlags, argv);
  if (typeof read === "number") return read;
  const { runInspect } = await import("./inspect-command.ts");
  const done = await runInspect(read.flags);
  return done.ok ? 0 : fail(`inspect: ${done.error}`);
}

async function showCompletion(argv: readonly string[]): Promise<number> {
  const read = await readCommand("completion", plainFlags, argv, 1);
  if (typeof read === "number") return read;
  const { renderShellCompletion } = await import("./help.ts");
  const [shell] = read.positionals;
  if (shell === undefined) return fail("completion: name the shell: bash, zsh or fish");
  const script = renderShellCompletion(shell);
  if (script === undefined)
    return fail(`completion: ${JSON.stringify(shell)} is not a supported shell: use bash, zsh or fish`);
  process.stdout.write(script);
  return 0;
}
