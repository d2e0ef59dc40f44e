// SPDX-License-Identifier: Apache-2.0

import { clusterSpec, namespacedSpec } from "../schema/policy-spec.ts";
import { type CustomResourceDefinition, toCustomResourceDefinition } from "./custom-resource-definition.ts";
import { policyDescriptions } from "./policy-descriptions.ts";
import { toOpenApi } from "./to-open-api.ts";

const required = ["metadata", "spec"];
const specDescription = "What the policy hooks, what it matches, and what happens then.";

export const tracingPolicyCrd: CustomResourceDefinition = toCustomResourceDefinition({
  names: {
    ...{ kind: "TracingPolicy", plural: "tracingpolicies", singular: "tracingpolicy" },
    ...{ shortNames: ["tgtp"], categories: ["tetragon"] },
  },
  scope: "Cluster",
  description: "A policy for processes of the whole cluster, those on the nodes themselves included.",
  required,
  properties: { spec: { ...toOpenApi(clusterSpec, policyDescriptions), description: specDescription } },
});

export const tracingPolicyNamespacedCrd: CustomResourceDefinition = toCustomResourceDefinition({
  names: {
    ...{
      kind: "TracingPolicyNamespaced",
      plural: "tracingpoliciesnamespaced",
      singular: "tracingpolicynamespaced",
    },
    ...{ shortNames: ["tgtpn"], categories: ["tetragon"] },
  },
  scope: "Namespaced",
  description: "A policy for the pods of its own namespace.",
  required,
  properties: { spec: { ...toOpenApi(namespacedSpec, policyDescriptions), description: specDescription } },
});
