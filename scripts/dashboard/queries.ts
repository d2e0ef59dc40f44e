// SPDX-License-Identifier: Apache-2.0
// PromQL that several panels use.
import type { Query } from "./panels.ts";

/** Matchers of the agents and plugins that are chosen at the top of the dashboard. */
export const agent = 'instance=~"$instance"';
export const plugin = 'instance=~"$plugin"';
/** Grafana's variable: at least four scrape intervals. */
export const window = "$__rate_interval";

/** The rate of a counter, by one label. */
export const rateBy = (label: string, series: string): Query => ({
  expr: `sum by (${label}) (rate(${series}[${window}]))`,
  legend: `{{${label}}}`,
});

/** The rate of a counter of all instances together. */
export const rateOf = (legend: string, series: string): Query => ({
  expr: `sum(rate(${series}[${window}]))`,
  legend,
});

export const countOf = (condition: string): string => `count(${condition}) or vector(0)`;
export const lastHour = (series: string): string => `sum(increase(${series}[1h]))`;
