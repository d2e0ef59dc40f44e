// SPDX-License-Identifier: Apache-2.0
// The expressions of dashboard and alerts name only what the programs export, and the dashboard is laid out.
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "yaml";
import { runPromtool } from "../harness/promtool.ts";
import { createWorkspace } from "../harness/workspace.ts";

const root = join(import.meta.dir, "../..");
const read = (path: string): Promise<string> => Bun.file(join(root, path)).text();
const workspace = createWorkspace("expr");
afterAll(() => workspace.close());

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}

// The casts name what dashboard-schema.test.ts and promtool check.
const { panels } = JSON.parse(await read("deploy/monitoring/dashboards/tetragon.json")) as {
  panels: Panel[];
};
const alerts = (
  parse(await read("deploy/monitoring/alerts.yaml")) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  }
).groups.flatMap(({ rules }) => rules);
const targets = panels.flatMap(({ title, targets: all = [] }) => all.map((target) => ({ title, ...target })));

/** Labels of each metric, from the generated reference. A histogram's series have suffixes. */
const labelsOf = new Map<string, ReadonlySet<string>>();
for (const line of (await read("docs/reference/metrics.md")).split("\n")) {
  const [, name, type, labels = ""] = /^\| `(\w+)` \| (\w+) \| (.*?) \|/.exec(line) ?? [];
  if (name === undefined) continue;
  const own = new Set([...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label));
  const suffixes = type === "histogram" ? ["_bucket", "_count", "_sum"] : [""];
  for (const suffix of suffixes)
    labelsOf.set(name + suffix, suffix === "_bucket" ? new Set([...own, "le"]) : own);
}
labelsOf.set("up", new Set());

const words = new Set(
  "absent and by count histogram_quantile ignoring increase max min offset or rate sum unless vector without on".split(
    " ",
  ),
);
const withoutStrings = (expr: string): string => expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
/** Of one expression: each metric with the labels of its matchers, and the labels of its groups. */
function dissect(expr: string) {
  const bare = withoutStrings(expr);
  const groups = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/, */));
  const selectors = [...bare.matchAll(/\b([a-z_]\w*)(?:\{([^}]*)\})?/g)];
  const plain = bare
    .replaceAll(/\b(?:by|ignoring) \([^)]*\)/g, "")
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "");
  const names = [...plain.matchAll(/\b[a-z_]\w*\b/g)]
    .map(([name]) => name)
    .filter((name) => !words.has(name));
  const matchers = selectors.flatMap(([, name = "", list = ""]) =>
    [...list.matchAll(/(\w+) *[=!]/g)].map(([, label = ""]) => ({ name, label })),
  );
  return { names, matchers, groups };
}

const expressions = [
  ...alerts.map(({ alert, expr }) => ({ where: alert, expr })),
  ...targets.map(({ title, expr }) => ({ where: `panel ${title}`, expr })),
];

/** As Grafana sends it where all instances are chosen. */
const withoutVariables = (expr: string): string =>
  expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$(instance|plugin)/g, ".*");

describe("the expressions", () => {
  test("are there", () => {
    expect(alerts.length).toBeGreaterThan(15);
    expect(targets.length).toBeGreaterThan(30);
    expect(labelsOf.size).toBeGreaterThan(40);
  });

  test.each(expressions)("of $where name metrics and labels of the reference", ({ expr }) => {
    const { names, matchers, groups } = dissect(expr);
    expect(names.filter((name) => !labelsOf.has(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
    const common = new Set(["job", "instance"]);
    const unknown = matchers.filter(
      ({ name, label }) => !common.has(label) && labelsOf.get(name)?.has(label) !== true,
    );
    expect(unknown).toEqual([]);
    const known = new Set(names.flatMap((name) => [...(labelsOf.get(name) ?? [])]));
    expect(groups.filter((label) => !common.has(label) && !known.has(label))).toEqual([]);
  });

  test("of the dashboard are PromQL", async () => {
    const rules = targets.map(({ expr }, at) => ({
      record: `panel:${at}`,
      expr: withoutVariables(expr),
    }));
    expect(JSON.stringify(rules)).not.toContain("$");
    const path = workspace.path("panels.json");
    await Bun.write(path, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    const { exitCode, stdout, stderr } = await runPromtool(["check", "rules", "--lint=none", path]);
    expect({ exitCode, output: stdout + stderr }).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
    });
  });
});

describe("the dashboard", () => {
  test("has panels with different ids that do not overlap and fit the grid", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = new Set<string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect({ title, end: x + w <= 24 }).toEqual({ title, end: true });
      for (let column = x; column < x + w; column++)
        for (let row = y; row < y + h; row++) {
          const cell = `${column}/${row}`;
          expect({ title, cell, isTaken: cells.has(cell) }).toEqual({ title, cell, isTaken: false });
          cells.add(cell);
        }
    }
    // Nothing is left open: every line is as wide as the grid.
    expect(cells.size).toBe(24 * Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)));
  });

  test.each(targets)("$title names its series by labels that they have", ({ expr, legendFormat }) => {
    const inLegend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
    const { groups, names } = dissect(expr);
    const known =
      groups.length > 0
        ? groups
        : ["job", "instance", ...names.flatMap((name) => [...(labelsOf.get(name) ?? [])])];
    expect(inLegend.filter((label) => !known.includes(label))).toEqual([]);
  });
});

describe("at a glance", () => {
  const agent = 'job="tetragon", instance="a:2112"';
  const plugin = 'job="tetragon-nri-hook", instance="a:2113"';
  const ready = `tetragon_health_serving{${agent}, service="readiness"}`;
  const refused = (source: string): string =>
    `tetragon_rthooks_requests_total{${agent}, source="${source}", outcome="refused", error="internal"}`;
  const actions = (policy: string, action: string): string =>
    `tetragon_tracingpolicy_selector_actions_total{${agent}, policy="${policy}", action="${action}"}`;
  const once = "0+0x5 1+0x60";

  test.each([
    { title: "Agents down or not ready", of: "nothing", series: [], count: 0 },
    {
      title: "Agents down or not ready",
      of: "one that is down",
      series: [[`up{${agent}}`, "0+0x60"]],
      count: 1,
    },
    {
      title: "Agents down or not ready",
      of: "one that is not ready, and another that is",
      series: [
        [`up{${agent}}`, "1+0x60"],
        [ready, "0+0x60"],
        [ready.replace("a:2112", "b:2112"), "1+0x60"],
      ],
      count: 1,
    },
    {
      title: "Plugins down or not called",
      of: "one that is down, and one that is not called",
      series: [
        [`up{${plugin}}`, "1+0x60"],
        [`tetragon_nri_hook_serving{${plugin}}`, "0+0x60"],
        [`up{${plugin.replace("a:2113", "b:2113")}}`, "0+0x60"],
      ],
      count: 2,
    },
    {
      title: "Starts denied, last hour",
      of: "a call of the hook, and a call of the plugin, which counts it too",
      series: [
        [refused("hook"), once],
        [refused("nri"), once],
        [`tetragon_nri_hook_denied_total{${plugin}, reason="refused"}`, once],
      ],
      count: 2,
    },
    {
      title: "Policies with errors",
      of: "two policies with errors, among enabled ones",
      series: [
        [`tetragon_tracingpolicy_loaded{${agent}, state="load_error"}`, "2+0x60"],
        [`tetragon_tracingpolicy_loaded{${agent}, state="enabled"}`, "9+0x60"],
      ],
      count: 2,
    },
    {
      title: "Agents with enforcement problems",
      of: "an agent with two such problems and another one",
      series: [
        [`tetragon_health_problems{${agent}, part="enforcement"}`, "2+0x60"],
        [`tetragon_health_problems{${agent}, part="events"}`, "1+0x60"],
      ],
      count: 1,
    },
    {
      title: "Denied or signalled, last hour",
      of: "a denial, a signal, a post, and a denial that was withheld",
      series: ["override", "signal", "post", "monitor_override"].map((action, at) => [
        actions(`policy-${at}`, action),
        once,
      ]),
      count: 2,
    },
    {
      title: "Withheld, last hour",
      of: "a denial, and a signal that was withheld",
      series: [
        [actions("no-shell", "override"), once],
        [actions("no-shell", "monitor_signal"), once],
      ],
      count: 1,
    },
    {
      title: "Records lost, last hour",
      of: "one without room, one that is unreadable, and one that was lost with the thread",
      series: [
        [`tetragon_bpf_missed_events_total{${agent}, msg_op="MSG_OP_EXIT", error="EAGAIN"}`, once],
        [`tetragon_observer_ringbuf_errors_total{${agent}}`, once],
        [`tetragon_observer_ringbuf_queue_events_lost_total{${agent}}`, once],
      ],
      count: 3,
    },
  ])("$title: $count of $of", async ({ title, series, count }) => {
    const expr = withoutVariables(targets.find((target) => target.title === title)?.expr ?? "");
    const path = workspace.path(`glance-${crypto.randomUUID()}.json`);
    const test = {
      ...{ interval: "1m", input_series: series.map(([name, values]) => ({ series: name, values })) },
      // Rounded as the panel does: Prometheus extrapolates increases.
      promql_expr_test: [
        { expr: `round(${expr})`, eval_time: "60m", exp_samples: [{ labels: "{}", value: count }] },
      ],
    };
    await Bun.write(path, JSON.stringify({ evaluation_interval: "1m", tests: [test] }));
    const { exitCode, stdout, stderr } = await runPromtool(["test", "rules", path]);
    expect({ exitCode, output: stdout + stderr }).toMatchObject({ exitCode: 0 });
  });
});
