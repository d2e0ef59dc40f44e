// SPDX-License-Identifier: Apache-2.0
// Whether the pods of a template may run on a node: its node selector and its required node affinity (Kubernetes API,
// v1 NodeSelectorTerm). Taints are not examined.

export interface NodeRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
  /** About a field of the node rather than a label; the only field is `metadata.name`. */
  readonly isField?: boolean;
}

export interface NodeSelection {
  /** All of them are needed. */
  readonly labels: ReadonlyMap<string, string>;
  /** One of them is needed, with all of its requirements; undefined: none is. An empty one selects no node. */
  readonly terms: readonly (readonly NodeRequirement[])[] | undefined;
}

export interface SelectedNode {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

export function selectsNode({ labels, terms }: NodeSelection, node: SelectedNode): boolean {
  if (![...labels].every(([key, value]) => node.labels.get(key) === value)) return false;
  if (terms === undefined) return true;
  return terms.some((term) => term.length > 0 && term.every((one) => isMet(one, node)));
}

function isMet({ key, operator, values, isField = false }: NodeRequirement, node: SelectedNode): boolean {
  const value = isField ? (key === "metadata.name" ? node.name : undefined) : node.labels.get(key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number.parseInt(value ?? "", 10) > Number.parseInt(values[0] ?? "", 10);
    case "Lt":
      return Number.parseInt(value ?? "", 10) < Number.parseInt(values[0] ?? "", 10);
  }
}
