// SPDX-License-Identifier: Apache-2.0
// The dashboard as its JSON file has it: Grafana's own types, narrowed to the panels, units and data source that are
// used here. tests/monitoring makes a JSON schema of it and judges the file by that.

import type {
  Dashboard,
  DataSourceRef,
  FieldConfig,
  GraphFieldConfig,
  GridPos,
  Panel,
  RowPanel,
  VariableModel,
} from "@grafana/schema";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type {
  FieldConfig as StateTimelineFieldConfig,
  Options as StateTimelineOptions,
} from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type { Options as TimeSeriesOptions } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** Ids of Grafana's units (its categories "Misc", "Time", "Throughput", "Data"): all that the dashboard uses. */
export type Unit = "short" | "percentunit" | "s" | "reqps" | "ops" | "bytes";

/** The Prometheus that is chosen at the top of the dashboard. */
export interface Prometheus extends DataSourceRef {
  readonly type: "prometheus";
  readonly uid: "$datasource";
}

/** A query of Grafana's Prometheus data source. @grafana/schema has no type of it. */
export interface Target {
  /** @pattern ^[A-Z]$ */
  readonly refId: string;
  readonly datasource: Prometheus;
  /** @minLength 1 */
  readonly expr: string;
  /** @minLength 1 */
  readonly legendFormat: string;
  readonly instant: boolean;
  readonly range: boolean;
}

interface PanelOf<Type extends string, Options, Custom, Units = { readonly unit: Unit }>
  extends Omit<Panel, "type" | "options" | "fieldConfig" | "targets"> {
  readonly type: Type;
  readonly id: number;
  /** @minLength 1 */
  readonly title: string;
  /** @pattern \.$ */
  readonly description: string;
  readonly gridPos: GridPos;
  readonly datasource: Prometheus;
  readonly options: Options;
  readonly fieldConfig: {
    readonly defaults: Omit<FieldConfig, "custom" | "unit"> & { readonly custom?: Custom } & Units;
    readonly overrides: readonly never[];
  };
  /** @minItems 1 */
  readonly targets: readonly Target[];
}

export type StatPanel = PanelOf<"stat", StatOptions, never>;
export type GraphPanel = PanelOf<"timeseries", TimeSeriesOptions, GraphFieldConfig>;
/** Its values are the words of the mappings: they have no unit. */
export type StatesPanel = PanelOf<
  "state-timeline",
  StateTimelineOptions,
  StateTimelineFieldConfig,
  { readonly mappings: NonNullable<FieldConfig["mappings"]> }
>;

/** The title above the panels that follow it. */
interface TitleRow extends Omit<RowPanel, "panels"> {
  /** @minLength 1 */
  readonly title: string;
  readonly gridPos: GridPos;
  /** Only those of a collapsed row are in it. */
  readonly panels: readonly never[];
}

/** @discriminator type */
export type PlacedPanel = StatPanel | GraphPanel | StatesPanel | TitleRow;

/** A choice of label values at the top of the dashboard. */
export interface QueryVariable extends Omit<VariableModel, "type" | "datasource" | "query"> {
  readonly type: "query";
  readonly datasource: Prometheus;
  readonly query: { readonly query: string; readonly refId: string };
}

interface DatasourceVariable extends Omit<VariableModel, "type" | "name" | "query"> {
  readonly type: "datasource";
  readonly name: "datasource";
  readonly query: "prometheus";
}

/** @discriminator type */
type Variable = QueryVariable | DatasourceVariable;

export interface DashboardModel extends Omit<Dashboard, "panels" | "templating"> {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly PlacedPanel[];
  readonly templating: { readonly list: readonly Variable[] };
}
