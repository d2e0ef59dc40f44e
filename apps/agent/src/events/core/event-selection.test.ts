// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { child, container, exec, exit, match, parent } from "../wire/event-message.fixture.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { WrittenFilter } from "./event-filter.ts";
import { compileSelection } from "./event-selection.ts";
import { toSubject } from "./event-subject.ts";

const empty: WrittenFilter = {
  ...{ binaryRegex: [], namespace: [], healthCheck: undefined, pid: [], pidSet: [], eventSet: [] },
  ...{ podRegex: [], argumentsRegex: [], labels: [], policyNames: [], capabilities: undefined },
  ...{ parentBinaryRegex: [], celExpression: [], parentArgumentsRegex: [], containerId: [] },
  ...{ inInitTree: undefined, ancestorBinaryRegex: [], containerNameRegex: [], namespaceRegex: [] },
};

const select = (
  allowed: readonly Partial<WrittenFilter>[],
  denied: readonly Partial<WrittenFilter>[] = [],
  nowMs = () => 0,
) => {
  const all = (filters: readonly Partial<WrittenFilter>[]) =>
    filters.map((filter) => ({ ...empty, ...filter }));
  return compileSelection(all(allowed), all(denied), nowMs);
};

const matches = (event: AgentEvent, allow: Partial<WrittenFilter>): boolean => {
  const selection = select([allow]);
  if (!selection.ok) throw new Error(selection.error);
  return selection.value.matches(toSubject(event));
};

const host: AgentEvent = {
  ...exec,
  kind: "exec",
  process: { ...child, inInitTree: false, container: undefined },
  parent: undefined,
};
const podman: AgentEvent = {
  ...host,
  process: { ...child, container: { ...container, podName: "", podUid: "" } },
};
const lost: AgentEvent = { kind: "lost", timeNs: 0n, count: 1n };

describe("a filter", () => {
  test.each<{ filter: Partial<WrittenFilter>; event: AgentEvent; isMatch: boolean }>([
    { filter: {}, event: exec, isMatch: true },
    { filter: {}, event: lost, isMatch: false },
    { filter: { binaryRegex: ["^/bin/c"] }, event: exec, isMatch: true },
    { filter: { binaryRegex: ["^/bin/sh", "cat$"] }, event: exec, isMatch: true },
    { filter: { binaryRegex: ["^/bin/sh"] }, event: exec, isMatch: false },
    { filter: { binaryRegex: [""] }, event: lost, isMatch: false },
    { filter: { parentBinaryRegex: ["sh$"] }, event: exec, isMatch: true },
    { filter: { parentBinaryRegex: [""] }, event: host, isMatch: false },
    { filter: { argumentsRegex: ["shadow"] }, event: exec, isMatch: true },
    { filter: { argumentsRegex: ["passwd"] }, event: exec, isMatch: false },
    { filter: { parentArgumentsRegex: ["^-c"] }, event: exec, isMatch: true },
    { filter: { inInitTree: true }, event: exec, isMatch: true },
    { filter: { inInitTree: false }, event: exec, isMatch: false },
    { filter: { inInitTree: false }, event: host, isMatch: true },
    { filter: { inInitTree: false }, event: lost, isMatch: false },
    { filter: { namespace: ["shop"] }, event: exec, isMatch: true },
    { filter: { namespace: ["sho"] }, event: exec, isMatch: false },
    { filter: { namespace: [""] }, event: host, isMatch: true },
    { filter: { namespace: [""] }, event: podman, isMatch: true },
    { filter: { namespace: [""] }, event: exec, isMatch: false },
    { filter: { namespaceRegex: ["^sh"] }, event: exec, isMatch: true },
    { filter: { namespaceRegex: [""] }, event: host, isMatch: false },
    { filter: { healthCheck: true }, event: exec, isMatch: false },
    { filter: { healthCheck: false }, event: exec, isMatch: true },
    { filter: { pid: [1, 4242] }, event: exec, isMatch: true },
    { filter: { pid: [1] }, event: exec, isMatch: false },
    { filter: { eventSet: [5] }, event: exit, isMatch: true },
    { filter: { eventSet: [5] }, event: exec, isMatch: false },
    { filter: { eventSet: [9] }, event: match, isMatch: true },
    { filter: { eventSet: [40001] }, event: lost, isMatch: true },
    { filter: { podRegex: ["web-[0-9]"] }, event: exec, isMatch: true },
    { filter: { podRegex: [""] }, event: host, isMatch: false },
    { filter: { labels: ["app in (web, db),!old"] }, event: exec, isMatch: true },
    { filter: { labels: ["app!=web", "app=web"] }, event: exec, isMatch: true },
    { filter: { labels: ["app!=web"] }, event: exec, isMatch: false },
    { filter: { labels: ["!app"] }, event: host, isMatch: false },
    { filter: { policyNames: ["no-metadata"] }, event: match, isMatch: true },
    { filter: { policyNames: ["other"] }, event: match, isMatch: false },
    { filter: { policyNames: [""] }, event: exec, isMatch: false },
    { filter: { containerId: ["^0123456789abcdef0123456789abcde$"] }, event: exec, isMatch: true },
    { filter: { containerId: ["^0123456789abcdef0123456789abcde$"] }, event: podman, isMatch: true },
    { filter: { containerNameRegex: ["^app$"] }, event: exec, isMatch: true },
    { filter: { containerNameRegex: ["^App$"] }, event: exec, isMatch: false },
    { filter: { namespace: ["shop"], binaryRegex: ["sh$"] }, event: exec, isMatch: false },
  ])("$filter", ({ filter, event, isMatch }) => expect(matches(event, filter)).toBe(isMatch));

  test.each<{ filter: Partial<WrittenFilter>; why: string }>([
    { filter: { celExpression: ["true"] }, why: "allow_list[0]: cel_expression is not supported" },
    { filter: { capabilities: {} }, why: "allow_list[0]: capabilities is not supported" },
    { filter: { ancestorBinaryRegex: ["a"] }, why: "allow_list[0]: ancestor_binary_regex is not supported" },
    { filter: { binaryRegex: ["(a"] }, why: "allow_list[0]: binary_regex: the regular expression" },
    { filter: { podRegex: ["(?=a)"] }, why: "allow_list[0]: pod_regex: the regular expression" },
    {
      filter: { podRegex: ["a".repeat(1025)] },
      why: "allow_list[0]: pod_regex: a regular expression has 1025",
    },
    { filter: { labels: ["app=(web"] }, why: "allow_list[0]: labels: the label selector" },
    { filter: { pid: Array.from({ length: 257 }, () => 1) }, why: "allow_list[0]: pid has 257 entries" },
  ])("is refused: $why", ({ filter, why }) => {
    const selection = select([filter]);
    expect(selection.ok ? "" : selection.error).toStartWith(why);
  });
});

test("one filter of the allow list is enough, and one of the deny list too much", () => {
  const selection = select([{ eventSet: [1] }, { eventSet: [9] }], [{ policyNames: ["no-metadata"] }]);
  if (!selection.ok) throw new Error(selection.error);
  expect([exec, exit, match].map((event) => selection.value.matches(toSubject(event)))).toEqual([
    ...[true, false, false],
  ]);
});

test("the descendants of a process are followed until they end", () => {
  const selection = select([{ pidSet: [4240] }]);
  if (!selection.ok) throw new Error(selection.error);
  const judge = (event: AgentEvent) => selection.value.matches(toSubject(event));
  const grandchild = { ...child, pid: 5000 };
  expect(judge({ ...exec, process: grandchild, parent: child })).toBe(false);
  expect(judge(exec)).toBe(true);
  expect(judge({ ...exec, process: grandchild, parent: child })).toBe(true);
  expect(judge(exit)).toBe(true);
  // The number belongs to another process now.
  expect(judge({ ...exec, process: child, parent: undefined })).toBe(false);
  expect(judge({ ...exec, process: parent, parent: undefined })).toBe(true);
});

test.each([
  { allowed: [], wants: true },
  { allowed: [{}], wants: false },
  { allowed: [{ eventSet: [1] }, { eventSet: [40001] }], wants: true },
])("drops are sent to a client with the allow list $allowed: $wants", ({ allowed, wants }) => {
  const selection = select(allowed);
  expect(selection.ok && selection.value.wantsDrops).toBe(wants);
});

const patterns = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `a${at}`);

test.each([
  { where: "in many filters", filters: patterns(9).map((pattern) => ({ binaryRegex: [pattern] })) },
  { where: "in one filter", filters: [{ binaryRegex: patterns(9) }] },
  { where: "in label selectors", filters: [{ labels: patterns(9) }] },
])("texts that take long together are refused $where", ({ filters }) => {
  let now = 0;
  const slow = select(filters, [], () => (now += 100));
  expect(slow).toMatchObject({ ok: false, error: expect.stringContaining("too large together") });
});

test("a request has so many filters, and so many texts in all of them", () => {
  expect(select(Array.from({ length: 65 }, () => ({})))).toEqual({
    ok: false,
    error: "65 filters: 64 are allowed",
  });
  const half = { binaryRegex: patterns(64), labels: patterns(64) };
  expect(select([half], [half]).ok).toBe(true);
  expect(select([half], [half, { podRegex: ["a"] }])).toMatchObject({
    ok: false,
    error: expect.stringContaining("deny_list[1]: pod_regex: more than 256 regular expressions"),
  });
});
