// SPDX-License-Identifier: Apache-2.0
// Help and completion, loaded on demand.

import { type CommandHelp, renderCompletion } from "@rthooks/flags/help";
import { toFollowExitCodes } from "@rthooks/follow/flags";
import {
  agentFlags,
  commands,
  eventsFlags,
  explainFlags,
  followCommandFlags,
  inspectCommandFlags,
  plainFlags,
  statusFlags,
  versionFlags,
  watchFlags,
} from "../core/flag-tables.ts";

const shells = ["bash", "zsh", "fish"] as const; // const: the names are a union

export type HelpTopic =
  | ""
  | "status"
  | "policies"
  | "explain"
  | "watch"
  | "events"
  | "follow"
  | "inspect"
  | "version"
  | "completion";

const clientExitCodes = [
  { code: 0, meaning: "the agent answered" },
  { code: 1, meaning: "it did not, or the command line is wrong" },
];

export const helpTopics: Readonly<Record<HelpTopic, CommandHelp>> = {
  "": {
    program: "tetragon",
    summary:
      "The node agent. Runtime hooks report each container before its first instruction; the agent finds the pod and the cgroup, brings the container under its policies in the kernel, and then releases it.",
    usage: [
      "tetragon [flags]",
      "tetragon status|policies|explain|watch|events|follow|inspect|version|completion [flags]",
    ],
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
      "Shows the tracing policies of the running agent: domain, state and mode, the id of the filter in the BPF maps, what holds a policy on this node, how often it matched, denied or signalled since it came into force, and the error of a policy that is not in force. MATCHES, ENFORCED (denials and signals) and WITHHELD (those that monitor mode left out) count all processes of the node.",
    usage: ["tetragon policies [-o table|json|yaml] [--server-address ADDRESS]"],
    flags: statusFlags,
    exitCodes: clientExitCodes,
  },
  explain: {
    program: "tetragon explain",
    summary:
      "Explains a container that is on record, or that ended or was refused lately: who it is and who reported each part of that, how long the runtime was held and where the time went, which policies select it and the first term of each other policy that it does not meet, what enforces them, and why it failed. For a container that does not run, the policies are those that would select it now.",
    usage: [
      "tetragon explain NAMESPACE/POD[/CONTAINER] [-o text|json|yaml] [--server-address ADDRESS]",
      "tetragon explain CONTAINER_ID [-o text|json|yaml] [--server-address ADDRESS]",
    ],
    flags: explainFlags,
    exitCodes: [
      { code: 0, meaning: "the agent has explained it" },
      {
        code: 1,
        meaning:
          "it has no such container, it has several of them, it did not answer, or the command line is wrong",
      },
    ],
    examples: [
      "tetragon explain shop/web-0",
      "tetragon explain shop/web-0/app -o yaml",
      "tetragon explain 4f2a9c",
    ],
  },
  watch: {
    program: "tetragon watch",
    summary:
      "Shows the containers on record, then one line for each change: time, pod, container, the state before and after, who reported the container, and why. Runs until it is interrupted; when the agent stops, it says so and connects again. With -o json each line is an object, with -o yaml each change is a document.",
    usage: [
      "tetragon watch [-n NAMES] [--pod NAMES] [--state STATES] [--changes-only] [-o table|json|yaml] [--server-address ADDRESS]",
    ],
    flags: watchFlags,
    exitCodes: [
      { code: 0, meaning: "ended by SIGINT or SIGTERM" },
      { code: 1, meaning: "the agent did not answer the first call, or the command line is wrong" },
      { code: 141, meaning: "the reader of its output has ended" },
    ],
    examples: ["tetragon watch --namespace shop", "tetragon watch --changes-only --state failed -o json"],
  },
  events: {
    program: "tetragon events",
    summary:
      "Shows events of the running agent as they happen: programs that start and end in pods, and what policies reported or prevented. Reads the lines of an export file instead, if standard input is a file or a pipe and --server-address is not given. Events that this program did not read in time are counted.",
    usage: [
      "tetragon events [-n NAMES] [--pod PATTERN] [--process PATTERN] [-e TYPES] [-o compact|json|yaml] [--server-address ADDRESS]",
      "tetragon events [flags] < FILE",
    ],
    flags: eventsFlags,
    exitCodes: [
      { code: 0, meaning: "ended by SIGINT or SIGTERM, or at the end of the input" },
      { code: 1, meaning: "the agent did not answer or refused a filter, or the command line is wrong" },
      { code: 141, meaning: "the reader of its output has ended" },
    ],
    examples: [
      "tetragon events --namespace shop --timestamps",
      "tetragon events --policy-names no-metadata -o json",
      "tetragon events --process '^/bin/sh$' < /var/log/tetragon/events.log",
    ],
  },
  follow: {
    program: "tetragon follow",
    summary:
      "Prints the lines that are appended to a file, as `tail -F` does: also when the file does not exist yet, is renamed, replaced or emptied. A renamed file is read to its end first, so that no line is lost. A line is printed when it has its newline; one of more than 2 MiB is left out, which standard error reports. Symbolic links are not followed.",
    usage: ["tetragon follow [--lines NUMBER] FILE"],
    flags: followCommandFlags,
    exitCodes: toFollowExitCodes(1),
    examples: ["tetragon follow --lines 0 /var/log/tetragon/events.log"],
  },
  inspect: {
    program: "tetragon inspect",
    summary:
      "Records what the inspector of a running agent or NRI plugin sends, or shows such a recording in a browser. The replay needs no node and no agent; it begins when the page is opened, and the page stays after the end. Ctrl-C ends it.",
    usage: [
      "tetragon inspect --replay FILE [--speed NUMBER] [--loop] [--inspect-address ADDRESS]",
      "tetragon inspect --record FILE [--duration DURATION] [--inspect-address ADDRESS]",
    ],
    flags: inspectCommandFlags,
    exitCodes: [
      { code: 0, meaning: "recorded, or the replay was ended by SIGINT or SIGTERM" },
      {
        code: 1,
        meaning:
          "a file or address that cannot be used, or the inspector closed the connection; what was recorded until then is in the file",
      },
    ],
    examples: [
      "tetragon inspect --record run.ndjson.gz --duration 60s",
      "tetragon inspect --replay run.ndjson.gz --loop",
    ],
  },
  version: {
    program: "tetragon version",
    summary: "Prints the version.",
    usage: ["tetragon version [-o text|json|yaml]"],
    flags: versionFlags,
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
        flags: {
          ...inspectCommandFlags,
          ...followCommandFlags,
          ...eventsFlags,
          ...watchFlags,
          ...agentFlags,
        },
      });
}
