// SPDX-License-Identifier: Apache-2.0
// TracingPolicy and TracingPolicyNamespaced of cilium.io/v1alpha1, from any value that a document can hold.

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { describeValue } from "./describe-value.ts";
import { joinNames } from "./nearest-names.ts";
import { namespaceName, objectName } from "./object-name.ts";
import { type PolicyProblem, toProblems } from "./policy-problem.ts";
import { clusterSpec, namespacedSpec, type TracingPolicySpec } from "./policy-spec.ts";
import { findWarnings, shortenMessages } from "./policy-warning.ts";
import { shape } from "./shape.ts";

const kinds = ["TracingPolicy", "TracingPolicyNamespaced"] as const; // const: the two kinds

/** The syntax of kinds in Kubernetes; anything else is quoted in messages. */
const kindPattern = /^[A-Za-z0-9-]{1,63}$/;

export interface TracingPolicy {
  readonly kind: (typeof kinds)[number];
  readonly name: string;
  /** Undefined for a cluster-wide policy. */
  readonly namespace: string | undefined;
  readonly spec: TracingPolicySpec;
  /** Ineffective settings. */
  readonly warnings: readonly PolicyProblem[];
}

export interface ParsePolicyOptions {
  /** For a namespaced policy without a namespace. */
  readonly defaultNamespace?: string;
}

/**
 * The policy with all defaults, or at most 20 problems. Rules between fields are checked where the fields themselves are
 * valid.
 */
export function parseTracingPolicy(
  value: unknown,
  options: ParsePolicyOptions = {},
): Result<TracingPolicy, readonly PolicyProblem[]> {
  const kind = readKind(value);
  if (!kind.ok) return kind;
  const parsed = v.safeParse(
    kind.value === "TracingPolicy" ? clusterPolicy : namespacedPolicy(options),
    value,
  );
  if (!parsed.success) return err(toProblems(parsed.issues));
  const { metadata, spec } = parsed.output;
  return ok({
    kind: kind.value,
    name: metadata.name,
    namespace: kind.value === "TracingPolicy" ? undefined : (metadata.namespace ?? options.defaultNamespace),
    spec: shortenMessages(spec),
    warnings: findWarnings(spec),
  });
}

/** Checked first: the schema depends on the kind. */
function readKind(value: unknown): Result<TracingPolicy["kind"], readonly PolicyProblem[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return err([{ path: ".", message: `must be an object, not ${describeValue(value)}` }]);
  }
  const kind: unknown = Object.hasOwn(value, "kind") && "kind" in value ? value.kind : undefined;
  const known = kinds.find((candidate) => candidate === kind);
  if (known !== undefined) return ok(known);
  const found = typeof kind === "string" && kindPattern.test(kind) ? kind : describeValue(kind);
  return err([{ path: "kind", message: `unknown CRD kind: ${found}; must be ${joinNames(kinds)}` }]);
}

/** Metadata of the API server (ObjectMeta) without a meaning for the policy. */
const ignored = v.optional(v.unknown());
const objectMeta = {
  name: objectName,
  generateName: ignored,
  selfLink: ignored,
  uid: ignored,
  resourceVersion: ignored,
  generation: ignored,
  creationTimestamp: ignored,
  deletionTimestamp: ignored,
  deletionGracePeriodSeconds: ignored,
  labels: ignored,
  annotations: ignored,
  ownerReferences: ignored,
  finalizers: ignored,
  managedFields: ignored,
};

const header = {
  apiVersion: v.literal(
    "cilium.io/v1alpha1",
    ({ input }) => `must be cilium.io/v1alpha1, not ${describeValue(input)}`,
  ),
  kind: v.picklist(kinds),
};

const metadata = shape({ ...objectMeta, namespace: v.optional(namespaceName) }, ({ namespace }, report) => {
  if (namespace !== undefined) {
    report(["namespace"], "must be left out: a TracingPolicy is cluster-wide, see TracingPolicyNamespaced");
  }
});
const clusterPolicy = shape({ ...header, metadata, spec: clusterSpec });

const namespacedPolicy = ({ defaultNamespace }: ParsePolicyOptions) =>
  shape({
    ...header,
    metadata: shape({
      ...objectMeta,
      namespace: defaultNamespace === undefined ? namespaceName : v.optional(namespaceName),
    }),
    spec: namespacedSpec,
  });
