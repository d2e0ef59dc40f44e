// SPDX-License-Identifier: Apache-2.0
// Each alert fires when it should, not before, and not for what looks similar: judged by promtool.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { runPromtool } from "../harness/promtool.ts";
import { createWorkspace } from "../harness/workspace.ts";

const root = join(import.meta.dir, "../..");
const rulesPath = join(root, "deploy/monitoring/alerts.yaml");
const workspace = createWorkspace("alerts");
afterAll(() => workspace.close());

/** promtool's notation: one value a minute. */
type Series = readonly [series: string, values: string];

interface Case {
  readonly alert: string;
  readonly firing: readonly Series[];
  /** What looks similar and is no reason. */
  readonly quiet: readonly Series[];
  /** Minutes from the start until it fires; it does not a minute before. */
  readonly minutes: number;
  /** When it is not there without a reason; 8 and 60 minutes from the start otherwise. */
  readonly quietMinutes?: readonly number[];
  /** Beside those of the alert itself. */
  readonly labels: Readonly<Record<string, string>>;
}

const agent = { job: "tetragon", instance: "node-1:2112" };
const plugin = { job: "tetragon-nri-hook", instance: "node-1:2113" };
const always = (value: number): string => `${value}+0x120`;
const jump = "0+0x5 1+0x120";

const named = (
  name: string,
  labels: Readonly<Record<string, string>>,
  of: Readonly<Record<string, string>> = agent,
): string =>
  `${name}{${Object.entries({ ...of, ...labels })
    .map(([key, value]) => `${key}="${value}"`)
    .join(", ")}}`;

const requests = (source: string, outcome: string, error: string): string =>
  named("tetragon_rthooks_requests_total", { source, outcome, error });

/** Of a histogram in which all observations are at most `seconds`. */
const buckets = (
  name: string,
  labels: Readonly<Record<string, string>>,
  of: Readonly<Record<string, string>>,
  seconds: number,
): readonly Series[] =>
  [0.5, 1, 2, "+Inf"].map((le) => [
    named(name, { ...labels, le: String(le) }, of),
    le === "+Inf" || Number(le) >= seconds ? "0+10x120" : always(0),
  ]);

const cases: readonly Case[] = [
  {
    alert: "TetragonAgentDown",
    ...{ firing: [[named("up", {}), always(0)]], quiet: [[named("up", {}), always(1)]] },
    ...{ minutes: 2, labels: agent },
  },
  {
    alert: "TetragonAgentAbsent",
    ...{ firing: [], quiet: [[named("up", {}), always(0)]] },
    ...{ minutes: 10, labels: { job: "tetragon" } },
  },
  {
    alert: "TetragonAgentUnreachable",
    firing: [[named("tetragon_health_serving", { service: "liveness" }), always(0)]],
    quiet: [
      [named("tetragon_health_serving", { service: "liveness" }), always(1)],
      [named("tetragon_health_serving", { service: "readiness" }), always(0)],
    ],
    ...{ minutes: 2, labels: { ...agent, service: "liveness" } },
  },
  {
    alert: "TetragonAgentNotReady",
    firing: [[named("tetragon_health_serving", { service: "readiness" }), always(0)]],
    quiet: [[named("tetragon_health_serving", { service: "readiness" }), always(1)]],
    ...{ minutes: 10, labels: { ...agent, service: "readiness" } },
  },
  {
    alert: "TetragonStartsDenied",
    firing: [[requests("hook", "refused", "pod-unknown"), jump]],
    quiet: [
      [requests("hook", "ok", ""), "0+5x120"],
      [requests("synchronize", "refused", "cgroup-missing"), jump],
      [requests("hook", "refused", "pod-unknown"), always(7)],
    ],
    ...{ minutes: 6, labels: { ...agent, error: "pod-unknown" } },
  },
  {
    alert: "TetragonStartsSlow",
    firing: buckets("tetragon_rthooks_held_seconds_bucket", { source: "hook" }, agent, 2),
    quiet: buckets("tetragon_rthooks_held_seconds_bucket", { source: "hook" }, agent, 0.5),
    ...{ minutes: 11, labels: agent },
  },
  {
    alert: "TetragonSourceStale",
    firing: [[named("tetragon_health_problems", { part: "pods" }), always(1)]],
    quiet: [
      [named("tetragon_health_problems", { part: "pods" }), always(0)],
      [named("tetragon_health_problems", { part: "nri-plugin" }), always(1)],
    ],
    ...{ minutes: 10, labels: { ...agent, part: "pods" } },
  },
  {
    alert: "TetragonHealthProblem",
    firing: [[named("tetragon_health_problems", { part: "descriptors" }), always(1)]],
    quiet: [
      [named("tetragon_health_problems", { part: "descriptors" }), always(0)],
      [named("tetragon_health_problems", { part: "policies" }), always(1)],
      [named("tetragon_health_problems", { part: "enforcement" }), always(1)],
    ],
    ...{ minutes: 10, labels: { ...agent, part: "descriptors" } },
  },
  {
    alert: "TetragonWatchSilent",
    firing: [[named("tetragon_k8s_watch_silence_seconds", { watch: "pods" }), "0+60x120"]],
    quiet: [[named("tetragon_k8s_watch_silence_seconds", { watch: "pods" }), always(61)]],
    ...{ minutes: 6, labels: { ...agent, watch: "pods" } },
  },
  {
    alert: "TetragonMapNearlyFull",
    firing: [
      [named("tetragon_map_entries", { map: "policy_map" }), always(30_000)],
      [named("tetragon_map_capacity", { map: "policy_map" }), always(32_768)],
    ],
    quiet: [
      [named("tetragon_map_entries", { map: "policy_map" }), always(20_000)],
      [named("tetragon_map_capacity", { map: "policy_map" }), always(32_768)],
      [named("tetragon_map_entries", { map: "policy_filter_cgroup_maps" }), always(1024)],
      [named("tetragon_map_capacity", { map: "policy_filter_cgroup_maps" }), always(1024)],
    ],
    ...{ minutes: 10, labels: { ...agent, map: "policy_map" } },
  },
  {
    alert: "TetragonMapErrors",
    firing: [
      [named("tetragon_map_errors_update_total", { map: "policy_map" }), jump],
      [named("tetragon_map_errors_delete_total", { map: "policy_map" }), always(0)],
    ],
    quiet: [
      [named("tetragon_map_errors_update_total", { map: "policy_map" }), always(3)],
      [named("tetragon_map_errors_delete_total", { map: "policy_map" }), always(0)],
      [named("tetragon_map_errors_update_total", { map: "policy_filter_cgroup_maps" }), jump],
    ],
    ...{ minutes: 6, labels: { ...agent, map: "policy_map" } },
  },
  {
    alert: "TetragonPolicyLoadErrors",
    firing: [[named("tetragon_tracingpolicy_loaded", { state: "load_error" }), always(2)]],
    quiet: [
      [named("tetragon_tracingpolicy_loaded", { state: "load_error" }), always(0)],
      [named("tetragon_tracingpolicy_loaded", { state: "enabled" }), always(9)],
    ],
    ...{ minutes: 5, labels: { ...agent, state: "load_error" } },
  },
  {
    alert: "TetragonEnforcementProblem",
    firing: [[named("tetragon_health_problems", { part: "enforcement" }), always(1)]],
    quiet: [
      [named("tetragon_health_problems", { part: "enforcement" }), always(0)],
      [named("tetragon_health_problems", { part: "events" }), always(1)],
    ],
    ...{ minutes: 2, labels: { ...agent, part: "enforcement" } },
  },
  {
    alert: "TetragonRulesNearlyUsedUp",
    firing: [
      [named("tetragon_tracingpolicy_rules_in_use", {}), always(240)],
      [named("tetragon_tracingpolicy_rules_max", { scope: "node" }), always(256)],
    ],
    quiet: [
      [named("tetragon_tracingpolicy_rules_in_use", {}), always(60)],
      [named("tetragon_tracingpolicy_rules_max", { scope: "node" }), always(256)],
      // One namespace may have fewer.
      [named("tetragon_tracingpolicy_rules_max", { scope: "namespace" }), always(32)],
    ],
    ...{ minutes: 10, labels: agent },
  },
  {
    alert: "TetragonEventsLost",
    firing: [[named("tetragon_bpf_missed_events_total", { msg_op: "MSG_OP_EXIT", error: "EAGAIN" }), jump]],
    quiet: [
      [named("tetragon_bpf_missed_events_total", { msg_op: "MSG_OP_EXIT", error: "EAGAIN" }), always(4)],
      [named("tetragon_notify_overflowed_events_total", {}), jump],
    ],
    ...{ minutes: 6, labels: { ...agent, msg_op: "MSG_OP_EXIT" } },
  },
  {
    alert: "TetragonExportFailed",
    firing: [[named("tetragon_export_failed_events_total", {}), jump]],
    quiet: [
      [named("tetragon_export_failed_events_total", {}), always(4)],
      [named("tetragon_export_ratelimit_events_dropped_total", {}), jump],
    ],
    ...{ minutes: 6, labels: agent },
  },
  {
    alert: "TetragonNriPluginDown",
    ...{ firing: [[named("up", {}, plugin), always(0)]], quiet: [[named("up", {}, plugin), always(1)]] },
    ...{ minutes: 2, labels: plugin },
  },
  {
    alert: "TetragonNriNotServing",
    firing: [[named("tetragon_nri_hook_serving", {}, plugin), always(0)]],
    quiet: [[named("tetragon_nri_hook_serving", {}, plugin), always(1)]],
    ...{ minutes: 2, labels: plugin },
  },
  {
    alert: "TetragonNriAgentUnreachable",
    firing: [[named("tetragon_nri_hook_agent_connected", {}, plugin), always(0)]],
    quiet: [[named("tetragon_nri_hook_agent_connected", {}, plugin), always(1)]],
    ...{ minutes: 5, labels: plugin },
  },
  {
    alert: "TetragonNriStartsDenied",
    firing: [[named("tetragon_nri_hook_denied_total", { reason: "deadline" }, plugin), jump]],
    quiet: [[named("tetragon_nri_hook_denied_total", { reason: "deadline" }, plugin), always(4)]],
    ...{ minutes: 6, labels: { ...plugin, reason: "deadline" } },
  },
  {
    alert: "TetragonContainersUnheld",
    firing: [[named("tetragon_nri_hook_unheld_total", { reason: "unreachable" }, plugin), jump]],
    quiet: [[named("tetragon_nri_hook_unheld_total", { reason: "unreachable" }, plugin), always(4)]],
    ...{ minutes: 6, labels: { ...plugin, reason: "unreachable" } },
  },
  {
    alert: "TetragonHooksNotRun",
    firing: [[named("tetragon_nri_hook_unhooked_total", { handler: "kata" }, plugin), "_x15 1+0x120"]],
    quiet: [[named("tetragon_nri_hook_unhooked_total", { handler: "kata" }, plugin), always(3)]],
    ...{ minutes: 15, labels: { ...plugin, handler: "kata" } },
    // A series that Prometheus sees for the first time is news for ten minutes.
    quietMinutes: [25, 60],
  },
  {
    alert: "TetragonNriLateAnswers",
    firing: [[named("tetragon_nri_hook_late_answers_total", {}, plugin), jump]],
    quiet: [[named("tetragon_nri_hook_late_answers_total", {}, plugin), always(2)]],
    ...{ minutes: 6, labels: plugin },
  },
  {
    alert: "TetragonNriStartsSlow",
    firing: buckets("tetragon_nri_hook_held_seconds_bucket", { outcome: "released" }, plugin, 2),
    quiet: buckets("tetragon_nri_hook_held_seconds_bucket", { outcome: "released" }, plugin, 0.5),
    ...{ minutes: 11, labels: plugin },
  },
];

interface Rule {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** The cast names what promtool has checked. */
const rules = (parse(await Bun.file(rulesPath).text()) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

async function judge(tests: readonly object[]): Promise<string> {
  const path = workspace.path(`tests-${crypto.randomUUID()}.json`);
  await Bun.write(path, JSON.stringify({ rule_files: [rulesPath], evaluation_interval: "1m", tests }));
  const { exitCode, stdout, stderr } = await runPromtool(["test", "rules", path]);
  return exitCode === 0 ? "" : `${stdout}${stderr}`;
}

const toInput = (series: readonly Series[]) => series.map(([name, values]) => ({ series: name, values }));

test("promtool finds nothing wrong with the rules", async () => {
  const { exitCode, stdout, stderr } = await runPromtool([
    ...["check", "rules", "--lint=all", "--lint-fatal", rulesPath],
  ]);
  expect({ exitCode, output: stdout + stderr }).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
  });
});

test("each alert has a case here, a severity and a section in docs/monitoring.md", async () => {
  expect(cases.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
  const page = await Bun.file(join(root, "docs/monitoring.md")).text();
  for (const { alert, labels } of rules) {
    expect(["warning", "critical"]).toContain(labels.severity);
    expect(page).toContain(`\`${alert}\``);
  }
});

test.each(cases)("$alert fires, and not before", async ({ alert, firing, minutes, labels }) => {
  const severity = rules.find((rule) => rule.alert === alert)?.labels.severity;
  const found = Object.entries({ alertname: alert, alertstate: "firing", severity, ...labels }).map(
    ([key, value]) => `${key}="${value}"`,
  );
  const expr = `ALERTS{alertname="${alert}", alertstate="firing"}`;
  const findings = await judge([
    {
      ...{ interval: "1m", input_series: toInput(firing) },
      promql_expr_test: [
        { expr, eval_time: `${minutes - 1}m`, exp_samples: [] },
        {
          expr,
          eval_time: `${minutes}m`,
          exp_samples: [{ labels: `ALERTS{${found.join(", ")}}`, value: 1 }],
        },
      ],
    },
  ]);
  expect(findings).toBe("");
});

test.each(cases)(
  "$alert does not fire for what looks similar",
  async ({ alert, quiet, quietMinutes = [8, 60] }) => {
    const expr = `ALERTS{alertname="${alert}"}`;
    const findings = await judge([
      {
        ...{ interval: "1m", input_series: toInput(quiet) },
        promql_expr_test: quietMinutes.map((at) => ({ expr, eval_time: `${at}m`, exp_samples: [] })),
      },
    ]);
    expect(findings).toBe("");
  },
);

test("an alert's text names the node, the kind and the number", async () => {
  const findings = await judge([
    {
      ...{
        interval: "1m",
        input_series: toInput([[requests("hook", "refused", "pod-unknown"), "0+0x5 4+0x120"]]),
      },
      alert_rule_test: [
        {
          ...{ eval_time: "10m", alertname: "TetragonStartsDenied" },
          exp_alerts: [
            {
              exp_labels: { severity: "warning", ...agent, error: "pod-unknown" },
              exp_annotations: {
                summary: "The agent on node-1:2112 refused containers (pod-unknown).",
                description:
                  "4 hook calls were refused within ten minutes. Each denies the start of a container, unless the fail check allows it.",
              },
            },
          ],
        },
      ],
    },
  ]);
  expect(findings).toBe("");
});

test("the configuration of Prometheus in docs/monitoring.md is valid, with the alerts", async () => {
  const page = await Bun.file(join(root, "docs/monitoring.md")).text();
  const block = /^ *```yaml\n( *)(scrape_configs:.*?)^ *```/ms.exec(page);
  const text = (block?.[2] ?? "").replaceAll(new RegExp(`^${block?.[1] ?? ""}`, "gm"), "");
  await Bun.write(workspace.path("prometheus.yml"), text);
  await Bun.write(workspace.path("alerts.yaml"), Bun.file(rulesPath));
  const { exitCode, stdout, stderr } = await runPromtool([
    "check",
    "config",
    workspace.path("prometheus.yml"),
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain(`${rules.length} rules found`);
  for (const job of ["tetragon", "tetragon-nri-hook"]) expect(text).toContain(`job_name: ${job}\n`);
});
