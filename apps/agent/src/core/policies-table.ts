// SPDX-License-Identifier: Apache-2.0
// The answer of `tetragon policies`.

import type { PolicyStatus } from "./policy-store.ts";
import { renderTable } from "./text-table.ts";

const header = ["ID", "NAME", "NAMESPACE", "DOMAIN", "STATE", "MODE", "FILTERID", "ERROR"];

export function renderPoliciesTable(policies: readonly PolicyStatus[]): string {
  if (policies.length === 0) return "The agent has no tracing policies.\n";
  return renderTable([
    header,
    ...policies.map(({ id, name, namespace, domain, state, mode, filterId, error }) => [
      ...[`${id}`, name, namespace || "(global)", domain, state, mode, `${filterId}`, error || "-"],
    ]),
  ]);
}

export const renderPoliciesJson = (policies: readonly PolicyStatus[]): string =>
  `${JSON.stringify({ policies }, undefined, 2)}\n`;
