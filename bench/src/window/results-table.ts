// SPDX-License-Identifier: Apache-2.0
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { type Action, actions, type Window } from "./attempt-log.ts";
import type { Scenario } from "./scenarios.ts";

export interface Measured {
  readonly scenario: Pick<Scenario, "name" | "subtitle" | "description">;
  readonly windows: readonly Window[];
}

export const actionNames: Readonly<Record<Action, string>> = {
  exec: "execution",
  connect: "connection",
  call: "system call",
};

const digits = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);

/** One line for each scenario and action. */
export function toTable(measured: readonly Measured[]): Table {
  return {
    title: "Forbidden first actions",
    columns: [
      ...["scenario", "first action", "containers", "of them, went through", "actions, median", "max"],
      ...["open ms, median", "p90", "max"],
    ],
    rows: measured.flatMap(({ scenario, windows }) =>
      actions.flatMap((action) => {
        const own = windows.filter((window) => window.action === action && window.end !== "not-started");
        return own.length === 0 ? [] : [[scenario.name, actionNames[action], ...toCells(own)]];
      }),
    ),
    notes: [
      ...measured.map(({ scenario }) => `${scenario.name}: ${scenario.description}.`),
      ...remarks(measured),
    ],
  };
}

function toCells(windows: readonly Window[]): readonly string[] {
  const through = windows.map((window) => window.through);
  const openMs = windows.map((window) => window.openMs);
  return [
    ...[windows.length, through.filter((count) => count > 0).length].map(String),
    ...[findMedian(through), Math.max(...through)].map(String),
    ...[findMedian(openMs), findQuantile(openMs, 0.9), Math.max(...openMs)].map(digits),
  ];
}

/** What must not stay unsaid: containers that did not start, were never stopped, or could go on later. */
function remarks(measured: readonly Measured[]): readonly string[] {
  return measured.flatMap(({ scenario, windows }) => {
    const count = (what: string, is: (window: Window) => boolean): readonly string[] => {
      const found = windows.filter(is).length;
      return found === 0 ? [] : [`${scenario.name}: ${found} of ${windows.length} ${what}.`];
    };
    const startErrors = windows.flatMap(({ end, startError }) => (end === "not-started" ? [startError] : []));
    return [
      ...count("did not start", ({ end }) => end === "not-started"),
      ...[...new Set(startErrors)].map((error) => `${scenario.name}: the runtime said: ${error}`),
      ...count("were not stopped before their own end", ({ end }) => end === "open"),
      ...count("had an action go through after one that was refused", ({ reopened }) => reopened > 0),
    ];
  });
}
