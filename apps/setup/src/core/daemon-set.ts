// SPDX-License-Identifier: Apache-2.0
// What the set-up tool reads of the DaemonSet of its pod, and of its node (apps/v1 DaemonSet, v1 Node).

import * as v from "valibot";
import type { NodeRequirement, NodeSelection } from "./node-selection.ts";

export interface DaemonSet {
  /** Its deletion has begun: it creates no more pods. */
  readonly isDeleted: boolean;
  /** Command and arguments of each container of its pods. */
  readonly commands: readonly (readonly string[])[];
  readonly selection: NodeSelection;
}

const words = v.nullish(v.array(v.string()), []);
const operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] as const; // const: the names are a union
const requirements = v.nullish(
  v.array(v.object({ key: v.string(), operator: v.picklist(operators), values: words })),
  [],
);
const term = v.object({ matchExpressions: requirements, matchFields: requirements });

const schema = v.object({
  metadata: v.object({ deletionTimestamp: v.nullish(v.string()) }),
  spec: v.object({
    template: v.object({
      spec: v.object({
        containers: v.array(v.object({ command: words, args: words })),
        nodeSelector: v.nullish(v.record(v.string(), v.string()), {}),
        affinity: v.nullish(
          v.object({
            nodeAffinity: v.nullish(
              v.object({
                requiredDuringSchedulingIgnoredDuringExecution: v.nullish(
                  v.object({ nodeSelectorTerms: v.array(term) }),
                ),
              }),
            ),
          }),
        ),
      }),
    }),
  }),
});

/** Undefined for an object of another kind. */
export function readDaemonSet(object: unknown): DaemonSet | undefined {
  const parsed = v.safeParse(schema, object);
  if (!parsed.success) return undefined;
  const { metadata, spec } = parsed.output;
  const { containers, nodeSelector, affinity } = spec.template.spec;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return {
    isDeleted: (metadata.deletionTimestamp ?? "") !== "",
    commands: containers.map(({ command, args }) => [...command, ...args]),
    selection: {
      labels: new Map(Object.entries(nodeSelector)),
      terms: required?.nodeSelectorTerms.map(
        ({ matchExpressions, matchFields }): readonly NodeRequirement[] => [
          ...matchExpressions,
          ...matchFields.map((field) => ({ ...field, isField: true })),
        ],
      ),
    },
  };
}

const nodeSchema = v.object({
  metadata: v.object({ labels: v.nullish(v.record(v.string(), v.string()), {}) }),
});

/** The labels of a v1 Node; undefined for another object. */
export function readNodeLabels(object: unknown): ReadonlyMap<string, string> | undefined {
  const parsed = v.safeParse(nodeSchema, object);
  return parsed.success ? new Map(Object.entries(parsed.output.metadata.labels)) : undefined;
}
