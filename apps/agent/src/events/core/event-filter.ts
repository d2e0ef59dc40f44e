// SPDX-License-Identifier: Apache-2.0
// One filter of a client: of each list that is not empty, an entry must match (Tetragon pkg/filters).

import { err, ok, type Result } from "@rthooks/result";
import type { CompileTexts } from "./compile-texts.ts";
import { type EventSubject, eventTypes, type SubjectProcess } from "./event-subject.ts";
import { compileLabelQuery } from "./label-query.ts";
import { createPidSet } from "./pid-set.ts";
import { compilePattern, type TextMatcher } from "./text-pattern.ts";

/** As the client has sent it. */
export interface WrittenFilter {
  readonly binaryRegex: readonly string[];
  readonly namespace: readonly string[];
  readonly healthCheck: boolean | undefined;
  readonly pid: readonly number[];
  readonly pidSet: readonly number[];
  readonly eventSet: readonly number[];
  readonly podRegex: readonly string[];
  readonly argumentsRegex: readonly string[];
  readonly labels: readonly string[];
  readonly policyNames: readonly string[];
  readonly capabilities: unknown;
  readonly parentBinaryRegex: readonly string[];
  readonly celExpression: readonly string[];
  readonly parentArgumentsRegex: readonly string[];
  readonly containerId: readonly string[];
  readonly inInitTree: boolean | undefined;
  readonly ancestorBinaryRegex: readonly string[];
  readonly containerNameRegex: readonly string[];
  readonly namespaceRegex: readonly string[];
}

export type EventMatcher = (subject: EventSubject) => boolean;

/** Entries of one list. */
const maxEntries = 256;

export function compileFilter(
  written: WrittenFilter,
  compileTexts: CompileTexts,
): Result<EventMatcher, string> {
  const refused = findUnsupported(written);
  if (refused !== undefined) return err(refused);
  const tests: EventMatcher[] = [];
  if (written.eventSet.length > 0) {
    const types = new Set(written.eventSet);
    tests.push(({ type }) => types.has(type));
  }
  if (written.policyNames.length > 0) {
    const names = new Set(written.policyNames);
    tests.push(({ policyName }) => policyName !== "" && names.has(policyName));
  }
  if (written.pid.length > 0) {
    const pids = new Set(written.pid);
    tests.push((subject) => subject.process !== undefined && pids.has(subject.process.pid));
  }
  if (written.namespace.length > 0) {
    const names = new Set(written.namespace);
    // A process outside of pods is in the namespace "".
    tests.push((subject) => subject.process !== undefined && names.has(subject.process.pod?.namespace ?? ""));
  }
  const { inInitTree } = written;
  if (inInitTree !== undefined) {
    tests.push((subject) => subject.process !== undefined && subject.process.inInitTree === inInitTree);
  }
  // No event here has `maybe_exec_probe`: the probes of pods are not known.
  if (written.healthCheck === true) tests.push(() => false);
  for (const { patterns, of, from } of listPatterns(written)) {
    if (patterns.length === 0) continue;
    const matchers = compileTexts(patterns, compilePattern);
    if (!matchers.ok) return err(`${of}: ${matchers.error}`);
    tests.push(toPatternTest(matchers.value, from));
  }
  if (written.labels.length > 0) {
    const queries = compileTexts(written.labels, compileLabelQuery);
    if (!queries.ok) return err(`labels: ${queries.error}`);
    tests.push((subject) => {
      const pod = subject.process?.pod;
      return pod !== undefined && queries.value.some((matches) => matches(pod.labels));
    });
  }
  // The last, since it remembers the processes of events that match otherwise.
  if (written.pidSet.length > 0) tests.push(createPidSet(written.pidSet));
  return ok((subject) => tests.every((test) => test(subject)));
}

interface PatternList {
  readonly of: string;
  readonly patterns: readonly string[];
  /** Undefined: no pattern matches. */
  from(subject: EventSubject): string | undefined;
}

function listPatterns(written: WrittenFilter): readonly PatternList[] {
  const ofProcess = (read: (one: SubjectProcess) => string | undefined) => (subject: EventSubject) =>
    subject.process && read(subject.process);
  return [
    { of: "binary_regex", patterns: written.binaryRegex, from: ofProcess(({ binary }) => binary) },
    {
      of: "arguments_regex",
      patterns: written.argumentsRegex,
      from: ofProcess((one) => one.arguments),
    },
    { of: "parent_binary_regex", patterns: written.parentBinaryRegex, from: ({ parent }) => parent?.binary },
    {
      of: "parent_arguments_regex",
      patterns: written.parentArgumentsRegex,
      from: ({ parent }) => parent?.arguments,
    },
    { of: "pod_regex", patterns: written.podRegex, from: ofProcess(({ pod }) => pod?.name) },
    { of: "namespace_regex", patterns: written.namespaceRegex, from: ofProcess(({ pod }) => pod?.namespace) },
    { of: "container_id", patterns: written.containerId, from: ofProcess(({ docker }) => docker) },
    {
      of: "container_name_regex",
      patterns: written.containerNameRegex,
      from: ofProcess(({ pod }) => pod?.containerName),
    },
  ];
}

const toPatternTest =
  (matchers: readonly TextMatcher[], from: PatternList["from"]): EventMatcher =>
  (subject) => {
    const text = from(subject);
    return text !== undefined && matchers.some((matches) => matches(text));
  };

function findUnsupported(written: WrittenFilter): string | undefined {
  if (written.celExpression.length > 0) {
    return "cel_expression is not supported: use the other fields of the filter";
  }
  if (written.capabilities !== undefined) return "capabilities is not supported: events do not have them";
  if (written.ancestorBinaryRegex.length > 0) {
    return "ancestor_binary_regex is not supported: events have a parent, and no further ancestors";
  }
  for (const [name, list] of Object.entries(written)) {
    if (Array.isArray(list) && list.length > maxEntries) {
      return `${name} has ${list.length} entries: ${maxEntries} are allowed`;
    }
  }
  return undefined;
}

/** Whether the filter names the type; such a filter is the only one that gets rate_limit_info where filters are set. */
export const namesRateLimitInfo = ({ eventSet }: WrittenFilter): boolean =>
  eventSet.includes(eventTypes.RATE_LIMIT_INFO);
