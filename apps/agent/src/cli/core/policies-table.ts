// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon policies`.

import { type Column, renderTable, type Screen, type Style } from "@rthooks/terminal";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";

const columns: readonly Column[] = [
  { title: "ID" },
  { title: "NAME", shrinksTo: 20 },
  { title: "NAMESPACE", shrinksTo: 10 },
  { title: "DOMAIN", shrinksTo: 10 },
  { title: "STATE" },
  { title: "MODE" },
  { title: "FILTERID" },
  { title: "HELD BY", shrinksTo: 20 },
  { title: "ERROR", shrinksTo: 20 },
];

const styles: Readonly<Partial<Record<string, Style>>> = {
  enabled: "green",
  loading: "yellow",
  disabled: "dim",
  load_error: "red",
  skipped: "red",
};

export function renderPolicies(policies: readonly PolicyStatus[], screen: Screen): readonly string[] {
  if (policies.length === 0) return ["The agent has no tracing policies."];
  const rows = policies.map(({ id, name, namespace, domain, state, mode, filterId, heldBy, error }) => [
    { text: `${id}` },
    { text: name },
    { text: namespace || "(global)" },
    { text: domain },
    { text: state, style: styles[state] },
    { text: mode },
    { text: `${filterId}` },
    { text: heldBy || "-" },
    { text: error || "-" },
  ]);
  return renderTable(columns, rows, screen);
}

export const toPoliciesDocument = (policies: readonly PolicyStatus[]): unknown => ({ policies });
