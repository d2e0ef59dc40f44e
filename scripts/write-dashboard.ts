// SPDX-License-Identifier: Apache-2.0
// Writes the Grafana dashboard. With --check it writes nothing, and fails where the file is not what it would write.
import { DashboardCursorSync, VariableHide, VariableRefresh, VariableSort } from "@grafana/schema";
import { layOut } from "./dashboard/lay-out.ts";
import type { DashboardModel, QueryVariable } from "./dashboard/model.ts";
import { datasource } from "./dashboard/panels.ts";
import { rows } from "./dashboard/rows.ts";
import { writePages } from "./write-pages.ts";

/** All instances of a metric, to choose some of them. */
const instances = (name: string, label: string, metric: string): QueryVariable => ({
  ...{ name, label, type: "query", datasource, hide: VariableHide.dontHide },
  query: { query: `label_values(${metric}, instance)`, refId: name },
  ...{ includeAll: true, allValue: ".*", multi: true, current: { text: "All", value: "$__all" } },
  ...{ refresh: VariableRefresh.onTimeRangeChanged, sort: VariableSort.alphabeticalAsc, regex: "" },
});

const dashboard: DashboardModel = {
  ...{ uid: "tetragon-rthooks", title: "Tetragon runtime hooks", tags: ["tetragon", "containers"] },
  description:
    "Held container starts, enforcement of policies, and events: the agent and the NRI plugin on each node.",
  ...{ schemaVersion: 39, version: 1, editable: true, graphTooltip: DashboardCursorSync.Crosshair },
  ...{ refresh: "30s", time: { from: "now-6h", to: "now" }, timezone: "browser" },
  templating: {
    list: [
      {
        ...{ name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        ...{ hide: VariableHide.dontHide, multi: false, includeAll: false, regex: "" },
      },
      instances("instance", "Agent", "tetragon_build_info"),
      instances("plugin", "NRI plugin", "tetragon_nri_hook_serving"),
    ],
  },
  panels: layOut(rows),
};

const text = `${JSON.stringify(dashboard, undefined, 2)}\n`;
await writePages("deploy/monitoring/dashboards", new Map([["tetragon.json", text]]), "make generate");
