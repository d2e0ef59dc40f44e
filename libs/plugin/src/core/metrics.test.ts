// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { nriSessionMachine } from "@rthooks/machines/nri";
import type { AnyStateNode } from "xstate";
import { createMetrics, sessionStates } from "./metrics.ts";

test("what was counted is there in Prometheus' text form", async () => {
  const metrics = createMetrics();
  metrics.observe("StartContainer", "ok", 0.003);
  metrics.observe("StartContainer", "ok", 7);
  metrics.observe("StartContainer", "denied", 0.1);
  metrics.countLate();
  metrics.countSession();
  metrics.countSession();
  metrics.countReport("stopped", false);
  metrics.countTooLarge();
  metrics.countUnhooked("kata");
  metrics.countReconnect();
  metrics.observeHold("unheld", 0.3);
  metrics.countUnheld("unreachable");
  metrics.countDenied("spec");
  const lines = (
    await metrics.render({
      ...{ serving: true, unsynchronized: true, agentConnected: false, containers: 42 },
      ...{ sessionState: "backingOff", inspectorClients: 3 },
    })
  ).split("\n");
  const name = "tetragon_nri_hook_event_seconds";
  const ok = 'event="StartContainer",outcome="ok"';
  for (const line of [
    `# TYPE ${name} histogram`,
    `${name}_bucket{le="0.002",${ok}} 0`,
    `${name}_bucket{le="0.005",${ok}} 1`,
    `${name}_bucket{le="5",${ok}} 1`,
    `${name}_bucket{le="+Inf",${ok}} 2`,
    `${name}_sum{${ok}} 7.003`,
    `${name}_count{${ok}} 2`,
    `${name}_count{event="StartContainer",outcome="denied"} 1`,
    "tetragon_nri_hook_late_answers_total 1",
    "tetragon_nri_hook_sessions_total 2",
    'tetragon_nri_hook_agent_reports_total{kind="stopped",outcome="error"} 1',
    "tetragon_nri_hook_serving 1",
    "tetragon_nri_hook_unsynchronized 1",
    "tetragon_nri_hook_too_large_total 1",
    'tetragon_nri_hook_unhooked_total{handler="kata"} 1',
    "tetragon_nri_hook_containers 42",
    "tetragon_nri_hook_agent_connected 0",
    "tetragon_nri_hook_reconnects_total 1",
    'tetragon_nri_hook_held_seconds_count{outcome="unheld"} 1',
    'tetragon_nri_hook_unheld_total{reason="unreachable"} 1',
    'tetragon_nri_hook_unheld_total{reason="late"} 0',
    'tetragon_nri_hook_denied_total{reason="spec"} 1',
    'tetragon_nri_hook_session_state{state="backingOff"} 1',
    'tetragon_nri_hook_session_state{state="serving"} 0',
    "tetragon_nri_hook_inspector_clients 3",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.at(-1)).toBe("");
});

test("the session's states are those of its machine in which it can stay", () => {
  const listLeaves = (node: AnyStateNode): readonly string[] =>
    node.type === "atomic" || node.type === "final"
      ? [node.key]
      : Object.values(node.states).flatMap(listLeaves);
  const passing = new Set(["lost"]);
  const leaves = new Set(listLeaves(nriSessionMachine.root));
  expect([...leaves].filter((name) => !passing.has(name)).sort()).toEqual([...sessionStates].sort());
});

test("many handlers become one label", async () => {
  const metrics = createMetrics();
  for (let at = 0; at < 1000; at++) metrics.countUnhooked(`handler-${at}`);
  const text = await metrics.registry.getSingleMetricAsString("tetragon_nri_hook_unhooked_total");
  expect(text.match(/^tetragon_nri_hook_unhooked_total\{/gm)).toHaveLength(33);
  expect(text).toContain('tetragon_nri_hook_unhooked_total{handler="other"} 968');
});
