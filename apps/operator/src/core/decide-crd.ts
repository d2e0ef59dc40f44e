// SPDX-License-Identifier: Apache-2.0
// What is done with a CustomResourceDefinition, by what the cluster has.

import type { KubeObject } from "@rthooks/kube";
import { type CustomResourceDefinition, SCHEMA_VERSION_LABEL } from "@rthooks/policy/crd";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";

export type CrdDecision =
  | { readonly kind: "create" }
  /** `from`: the version in the cluster; empty if it has none. */
  | { readonly kind: "replace"; readonly object: KubeObject; readonly from: string }
  /** `isNewer`: the cluster has a later version than this program. */
  | { readonly kind: "keep"; readonly version: string; readonly isNewer: boolean };

const text = v.fallback(v.nullish(v.string(), ""), "");

const schema = v.object({
  metadata: v.object({ labels: v.nullish(v.record(v.string(), v.unknown())) }),
  spec: v.nullish(
    v.object({
      versions: v.nullish(
        v.array(v.object({ schema: v.nullish(v.object({ openAPIV3Schema: v.unknown() })) })),
      ),
    }),
  ),
  status: v.nullish(
    v.object({
      conditions: v.nullish(
        v.array(v.object({ type: v.string(), status: v.string(), reason: text, message: text })),
      ),
    }),
  ),
});

/** `found`: in the cluster. `isForced`: it is replaced whatever its version is. */
export function decideCrd(
  found: KubeObject | undefined,
  wanted: CustomResourceDefinition,
  isForced: boolean,
): CrdDecision {
  if (found === undefined) return { kind: "create" };
  const parsed = v.safeParse(schema, found);
  const labels = parsed.success ? parsed.output.metadata.labels : undefined;
  const label = labels?.[SCHEMA_VERSION_LABEL];
  const version = typeof label === "string" ? label : "";
  const hasSchema = parsed.success && parsed.output.spec?.versions?.[0]?.schema != null;
  const order = compareVersions(version, wanted.metadata.labels[SCHEMA_VERSION_LABEL] ?? "");
  if (!isForced && hasSchema && order !== undefined && order >= 0) {
    return { kind: "keep", version, isNewer: order > 0 };
  }
  const metadata = { ...found.metadata, labels: { ...labels, ...wanted.metadata.labels } };
  return { kind: "replace", from: version, object: { ...found, metadata, spec: wanted.spec } };
}

/** Whether the API server serves the kind. The error, of a name that another CRD has, is one line. */
export function isEstablished(found: KubeObject | undefined): Result<boolean, string> {
  const parsed = v.safeParse(schema, found);
  const conditions = parsed.success ? (parsed.output.status?.conditions ?? []) : [];
  const refused = conditions.find(({ type, status }) => type === "NamesAccepted" && status === "False");
  if (refused !== undefined) {
    return err(`its names are not accepted: ${toOneLine(`${refused.reason} ${refused.message}`)}`);
  }
  return ok(conditions.some(({ type, status }) => type === "Established" && status === "True"));
}

const toOneLine = (value: string): string =>
  value
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, 400);

const VERSION = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(-[\w.-]+)?(?:\+[\w.-]+)?$/;

/** Below 0 if `one` is older; undefined if one of them is not a version. A pre-release is older than its release. */
function compareVersions(one: string, other: string): number | undefined {
  const [left, right] = [VERSION.exec(one), VERSION.exec(other)];
  if (left === null || right === null) return undefined;
  for (const part of [1, 2, 3]) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference;
  }
  return (left[4] === undefined ? 1 : 0) - (right[4] === undefined ? 1 : 0);
}
