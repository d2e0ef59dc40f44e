// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { type AgentMetrics, createAgentMetrics, type FilterOperation } from "./agent-metrics.ts";
import { healthParts } from "./health-part.ts";
import { emptyState } from "./metered-state.fixture.ts";
import { refusalKinds } from "./refusal.ts";

const sources = ["hook", "nri", "synchronize", "cri", "scan", "unknown"] as const; // const: the words are a union
const identities = ["pod-source", "hook", "none"] as const; // const: the words are a union
const changes: readonly FilterOperation[] = [
  "policy-put",
  "policy-remove",
  "cgroup-add",
  "cgroup-remove",
  "reverse-put",
];

const listSeries = (text: string): readonly string[] =>
  text
    .split("\n")
    .flatMap((line) => (line === "" || line.startsWith("#") ? [] : [line.replace(/ \S+$/, "")]));

/** Everything that can be counted is counted with every label. */
function countAll(metrics: AgentMetrics): void {
  for (const source of sources)
    for (const outcome of ["ok", ...refusalKinds] as const) metrics.observeHook(source, outcome, 0.001);
  for (const identity of identities) metrics.observeIdentityWait(identity, 0.1);
  for (const operation of changes)
    for (const succeeded of [true, false]) metrics.countFilterChange(operation, succeeded);
  for (const what of ["name", "image"] as const) metrics.countMissing(what);
  for (const kind of ["update", "delete"] as const) metrics.countPod(kind);
  for (const reason of ["too many connections", "too many bytes under way"] as const)
    metrics.countEviction(reason);
  metrics.countWatcherEvent();
  metrics.countPodUnknown();
}

test("an agent that has counted everything exports a bounded number of series", async () => {
  const metrics = createAgentMetrics("1");
  countAll(metrics);
  const filters = Array.from({ length: 127 }, (_, at) => [at + 2, 3] as const);
  const text = await metrics.render({
    ...emptyState,
    problems: healthParts.map((part) => ({ part })),
    filterEntries: filters,
    failedEntries: filters,
    filters: filters.map(([id]) => [`namespace-${id}`, 1]),
  });
  const series = listSeries(text);
  expect(new Set(series).size).toBe(series.length);
  // Histograms have 16 series for each label: 12 outcomes, 2 sources, 3 identities. Filters have 3 for each of 127.
  // Requests have 12 outcomes for each of 6 sources. All others together have fewer than 80.
  expect(series.length).toBeLessThan(16 * (12 + 2 + 3) + 3 * 127 + 6 * 12 + 80);
});

test("refusals are counted by source and kind, from 0 on for those that deny a start", async () => {
  const metrics = createAgentMetrics("1");
  metrics.observeHook("nri", "pod-unknown", 0.2);
  const lines = (await metrics.render(emptyState)).split("\n");
  for (const line of [
    'tetragon_rthooks_requests_total{source="nri",outcome="refused",error="pod-unknown"} 1',
    'tetragon_rthooks_requests_total{source="hook",outcome="refused",error="pod-unknown"} 0',
    'tetragon_rthooks_requests_total{source="hook",outcome="ok",error=""} 0',
    'tetragon_rthooks_held_seconds_count{source="nri"} 1',
    'tetragon_health_problems{part="cri"} 0',
    'tetragon_tracingpolicy_loaded{state="load_error"} 0',
  ])
    expect(lines).toContain(line);
});

test("calls other than those of hook and plugin hold no runtime", async () => {
  const metrics = createAgentMetrics("1");
  for (const source of ["synchronize", "cri", "scan", "unknown"] as const)
    metrics.observeHook(source, "ok", 0.2);
  expect(await metrics.render(emptyState)).not.toContain("rthooks_held_seconds_count");
});

test("failed writes are errors of the map that they change", async () => {
  const metrics = createAgentMetrics("1");
  countAll(metrics);
  const maps = [{ map: "policy_map", entries: 30_000, capacity: 32_768 }] as const; // const: the name is of a union
  const lines = (await metrics.render({ ...emptyState, maps })).split("\n");
  for (const line of [
    'tetragon_map_errors_update_total{map="policy_filter_maps"} 1',
    'tetragon_map_errors_update_total{map="policy_map"} 1',
    'tetragon_map_errors_update_total{map="policy_filter_cgroup_maps"} 1',
    'tetragon_map_errors_delete_total{map="policy_filter_maps"} 1',
    'tetragon_map_errors_delete_total{map="policy_map"} 1',
    'tetragon_map_entries{map="policy_map"} 30000',
    'tetragon_map_capacity{map="policy_map"} 32768',
  ])
    expect(lines).toContain(line);
});

test("a watch has its silence and lists; one that never received anything has no silence", async () => {
  const watches = [
    { what: "pods", silenceSeconds: 12.5, lists: 3 },
    { what: "tracingpolicies", silenceSeconds: undefined, lists: 0 },
  ];
  const text = await createAgentMetrics("1").render({ ...emptyState, watches });
  expect(text).toContain('tetragon_k8s_watch_silence_seconds{watch="pods"} 12.5\n');
  expect(text).toContain('tetragon_k8s_watch_lists_total{watch="pods"} 3\n');
  expect(text).toContain('tetragon_k8s_watch_lists_total{watch="tracingpolicies"} 0\n');
  expect(text).not.toContain('silence_seconds{watch="tracingpolicies"}');
});

test.each([
  { name: "quotes", given: 'a"b', written: 'a\\"b' },
  { name: "a backslash", given: "a\\b", written: "a\\\\b" },
  { name: "a line break with a forged metric", given: 'x"} 1\nforged 1', written: 'x\\"} 1\\nforged 1' },
  { name: "253 characters", given: "n".repeat(253), written: "n".repeat(253) },
  { name: "markup", given: "<script>‮", written: "<script>‮" },
])("$name in a label: Prometheus reads the same text", async ({ given, written }) => {
  const text = await createAgentMetrics("1").render({ ...emptyState, filters: [[given, 1]] });
  expect(text.split("\n")).toContain(`tetragon_policyfilter_filters{namespace="${written}"} 1`);
  expect(text).not.toMatch(/^forged/m);
});

test("what became of events is read at each scrape", async () => {
  const metrics = createAgentMetrics("1.2.3");
  let sent = 5;
  metrics.followOutputs(() => ({
    ...{
      clients: 2,
      sent: sent++,
      dropped: 1000,
      exported: 7,
      exportedBytes: 900,
      lastExportedAt: 1_700_000_000,
    },
    ...{ rateLimited: 3, exportFailed: 4 },
  }));
  await metrics.render(emptyState);
  const text = await metrics.render(emptyState);
  for (const line of [
    "tetragon_events_clients 2",
    "tetragon_events_sent_total 6",
    "tetragon_notify_overflowed_events_total 1000",
    "tetragon_events_exported_total 7",
    "tetragon_events_exported_bytes_total 900",
    "tetragon_events_last_exported_timestamp 1700000000",
    "tetragon_export_ratelimit_events_dropped_total 3",
    "tetragon_export_failed_events_total 4",
  ]) {
    expect(text).toContain(`\n${line}\n`);
  }
});

test("records of the ring buffer are counted, also those that could not be read", async () => {
  const metrics = createAgentMetrics("1");
  const events = { ...emptyState.events, received: 9, unreadable: 4 };
  await metrics.render({ ...emptyState, events });
  const text = await metrics.render({ ...emptyState, events });
  expect(text).toContain("\ntetragon_observer_ringbuf_events_received_total 9\n");
  expect(text).toContain("\ntetragon_observer_ringbuf_errors_total 4\n");
});
