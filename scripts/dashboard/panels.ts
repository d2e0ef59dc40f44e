// SPDX-License-Identifier: Apache-2.0
// Kinds of panels of the Grafana dashboard, with the types of Grafana's own schema (@grafana/schema).

import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LineInterpolation,
  MappingType,
  PercentChangeColorMode,
  SortOrder,
  StackingMode,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from "@grafana/schema";
import type { GraphPanel, PlacedPanel, Prometheus, StatesPanel, StatPanel, Target, Unit } from "./model.ts";

type WithoutPlace<Panel> = Panel extends unknown ? Omit<Panel, "id" | "gridPos"> : never;

/** A panel without its place and id. Width and height are in units of Grafana's grid, which is 24 units wide. */
export interface Placed {
  readonly panel: WithoutPlace<PlacedPanel>;
  readonly width: number;
  readonly height: number;
}

interface Described {
  readonly title: string;
  readonly description: string;
}

export interface Query {
  readonly expr: string;
  /** Grafana's template of the series' name; empty for one without labels. */
  readonly legend: string;
}

export const datasource: Prometheus = { type: "prometheus", uid: "$datasource" };

const toTargets = (queries: readonly Query[]): readonly Target[] =>
  queries.map(({ expr, legend }, at) => ({
    ...{ refId: String.fromCharCode("A".charCodeAt(0) + at), datasource, expr },
    ...{ legendFormat: legend === "" ? "__auto" : legend, instant: false, range: true },
  }));

const toThresholds = (color: "green" | "blue", steps: readonly { value: number; color: string }[]) => ({
  mode: ThresholdsMode.Absolute,
  // As JSON null, which is what Grafana has for the lowest step.
  steps: [{ color, value: Number.NEGATIVE_INFINITY }, ...steps],
});

/** One number, green at 0 and in the alarming color from 1 on; without `alarm` it is never alarming. */
export function stat(
  text: Described,
  expr: string,
  { alarm, unit = "short" }: { readonly alarm?: "orange" | "red"; readonly unit?: Unit } = {},
): Placed {
  const options: StatPanel["options"] = {
    colorMode: alarm === undefined ? BigValueColorMode.None : BigValueColorMode.Background,
    graphMode: BigValueGraphMode.Area,
    justifyMode: BigValueJustifyMode.Auto,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    showPercentChange: false,
    textMode: BigValueTextMode.Auto,
    wideLayout: true,
  };
  const defaults: StatPanel["fieldConfig"]["defaults"] = {
    ...{ unit, decimals: 0, min: 0, noValue: "0" },
    thresholds: toThresholds(
      alarm === undefined ? "blue" : "green",
      alarm === undefined ? [] : [{ value: 1, color: alarm }],
    ),
  };
  return {
    panel: {
      ...{ type: "stat", ...text, datasource, options },
      fieldConfig: { defaults, overrides: [] },
      targets: toTargets([{ expr, legend: "" }]),
    },
    width: 4,
    height: 4,
  };
}

export interface GraphStyle {
  readonly unit: Unit;
  readonly isStacked?: boolean;
  readonly max?: number;
  /** Digits after the point; Grafana chooses where it is absent. */
  readonly decimals?: number;
  /** From this value on the graph is marked red. */
  readonly limit?: number;
}

export function graph(
  text: Described,
  queries: readonly Query[],
  { unit, isStacked = false, max, decimals, limit }: GraphStyle,
): Placed {
  const options: GraphPanel["options"] = {
    legend: {
      calcs: ["max", "lastNotNull"],
      displayMode: LegendDisplayMode.Table,
      placement: "bottom",
      showLegend: true,
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  const custom: GraphPanel["fieldConfig"]["defaults"]["custom"] = {
    drawStyle: GraphDrawStyle.Line,
    lineInterpolation: LineInterpolation.Linear,
    lineWidth: 1,
    fillOpacity: isStacked ? 30 : 8,
    showPoints: VisibilityMode.Never,
    spanNulls: false,
    stacking: { mode: isStacked ? StackingMode.Normal : StackingMode.None, group: "A" },
    ...(limit === undefined ? {} : { thresholdsStyle: { mode: GraphThresholdsStyleMode.Dashed } }),
  };
  const defaults: GraphPanel["fieldConfig"]["defaults"] = {
    ...{ unit, min: 0, custom },
    ...(max === undefined ? {} : { max }),
    ...(decimals === undefined ? {} : { decimals }),
    ...(limit === undefined ? {} : { thresholds: toThresholds("green", [{ value: limit, color: "red" }]) }),
  };
  return {
    panel: {
      ...{ type: "timeseries", ...text, datasource, options },
      fieldConfig: { defaults, overrides: [] },
      targets: toTargets(queries),
    },
    width: 12,
    height: 8,
  };
}

/** Rows of 0 and 1 over time: in which state something was. */
export function states(text: Described, query: Query): Placed {
  const options: StatesPanel["options"] = {
    ...{ alignValue: "left", mergeValues: true, rowHeight: 0.8, showValue: VisibilityMode.Never },
    legend: { calcs: [], displayMode: LegendDisplayMode.List, placement: "bottom", showLegend: false },
    tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
  };
  const defaults: StatesPanel["fieldConfig"]["defaults"] = {
    ...{ custom: { fillOpacity: 70, lineWidth: 0 }, min: 0, max: 1 },
    mappings: [
      {
        type: MappingType.ValueToText,
        options: {
          "0": { text: "no", color: "transparent", index: 0 },
          "1": { text: "yes", color: "blue", index: 1 },
        },
      },
    ],
  };
  return {
    panel: {
      ...{ type: "state-timeline", ...text, datasource, options },
      fieldConfig: { defaults, overrides: [] },
      targets: toTargets([query]),
    },
    width: 12,
    height: 8,
  };
}
