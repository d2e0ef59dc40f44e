// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon policies`.

import type { PolicyStatus } from "../../policies/core/policy-store.ts";
import { cutLine, renderTable } from "./text-table.ts";

const header = ["ID", "NAME", "NAMESPACE", "DOMAIN", "STATE", "MODE", "FILTERID", "ERROR"];

/** Lines are cut to `columns`; the error is the last column. */
export function renderPoliciesTable(policies: readonly PolicyStatus[], columns: number): string {
  if (policies.length === 0) return "The agent has no tracing policies.\n";
  const table = renderTable([
    header,
    ...policies.map(({ id, name, namespace, domain, state, mode, filterId, error }) => [
      ...[`${id}`, name, namespace || "(global)", domain, state, mode, `${filterId}`, error || "-"],
    ]),
  ]);
  return table
    .split("\n")
    .map((line) => cutLine(line, columns))
    .join("\n");
}

export const renderPoliciesJson = (policies: readonly PolicyStatus[]): string =>
  `${JSON.stringify({ policies }, undefined, 2)}\n`;
