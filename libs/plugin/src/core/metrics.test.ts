// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createMetrics } from "./metrics.ts";

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
  const lines = (
    await metrics.render({ serving: true, unsynchronized: true, agentConnected: false, containers: 42 })
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
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.at(-1)).toBe("");
});
