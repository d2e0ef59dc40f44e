// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon policies`.

import type { EnforcementCounts } from "@rthooks/explain";
import { type Column, renderTable, type Screen, type Style } from "@rthooks/terminal";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";

/** A policy as this client lists it. */
export interface ListedPolicy extends PolicyStatus {
  /** Undefined for a policy without rules in force. */
  readonly counts: EnforcementCounts | undefined;
}

const columns: readonly Column[] = [
  { title: "ID", leaveOut: 1 },
  { title: "NAME", shrinksTo: 20 },
  { title: "NAMESPACE", shrinksTo: 10 },
  { title: "DOMAIN", shrinksTo: 10, leaveOut: 3 },
  { title: "STATE" },
  { title: "MODE" },
  { title: "FILTERID", leaveOut: 2 },
  { title: "HELD BY", shrinksTo: 20 },
  ...["MATCHES", "ENFORCED", "WITHHELD"].map((title) => ({ title })),
  { title: "ERROR", shrinksTo: 20 },
];

const styles: Readonly<Partial<Record<string, Style>>> = {
  enabled: "green",
  loading: "yellow",
  disabled: "dim",
  load_error: "red",
  skipped: "red",
};

export function renderPolicies(policies: readonly ListedPolicy[], screen: Screen): readonly string[] {
  if (policies.length === 0) return ["The agent has no tracing policies."];
  const rows = policies.map(
    ({ id, name, namespace, domain, state, mode, filterId, heldBy, counts, error }) => [
      { text: `${id}` },
      { text: name },
      { text: namespace || "(global)" },
      { text: domain },
      { text: state, style: styles[state] },
      { text: mode === "unknown" ? "-" : mode },
      { text: `${filterId}` },
      { text: heldBy || "-" },
      ...[counts?.matches, counts && counts.denials + counts.signals, counts?.withheld].map((count) => ({
        text: `${count ?? "-"}`,
      })),
      { text: error || "-" },
    ],
  );
  return renderTable(columns, rows, screen);
}

export const toPoliciesDocument = (policies: readonly ListedPolicy[]): unknown => ({ policies });
