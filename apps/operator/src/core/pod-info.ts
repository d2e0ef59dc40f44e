// SPDX-License-Identifier: Apache-2.0
// PodInfo of cilium.io/v1alpha1: what a pod is, without its containers, for clients that may not read pods.

import { toCustomResourceDefinition, toOpenApi } from "@rthooks/policy/crd";
import * as v from "valibot";

const text = v.nullish(v.string(), "");

const ownerReference = v.object({
  apiVersion: text,
  kind: text,
  name: text,
  uid: text,
  controller: v.nullish(v.boolean(), false),
  blockOwnerDeletion: v.nullish(v.boolean(), false),
});

/** The members that are a PodInfo's own. */
const body = {
  spec: v.nullish(v.object({ hostNetwork: v.nullish(v.boolean(), false), nodeName: text }), {}),
  status: v.nullish(v.object({ podIP: text, podIPs: v.nullish(v.array(v.object({ IP: text })), []) }), {}),
  workloadObject: v.nullish(v.object({ name: text, namespace: text }), {}),
  workloadType: v.nullish(v.object({ apiVersion: text, kind: text }), {}),
};

export const podInfoSchema = v.object({
  metadata: v.object({
    uid: v.string(),
    name: v.string(),
    namespace: v.string(),
    resourceVersion: v.string(),
    labels: v.nullish(v.record(v.string(), v.string()), {}),
    annotations: v.nullish(v.record(v.string(), v.string()), {}),
    ownerReferences: v.nullish(v.array(ownerReference), []),
  }),
  ...body,
});

type Read = v.InferOutput<typeof podInfoSchema>;

/** As it is written; the API server adds UID and resource version. */
export type PodInfo = Omit<Read, "metadata"> & {
  readonly apiVersion: "cilium.io/v1alpha1";
  readonly kind: "PodInfo";
  readonly metadata: Omit<Read["metadata"], "uid" | "resourceVersion">;
};

/** Equal texts: nothing would change if the one replaced the other. */
export function toComparable({
  metadata,
  spec,
  status,
  workloadObject,
  workloadType,
}: Read | PodInfo): string {
  const { labels, annotations, ownerReferences } = metadata;
  const sorted = [labels, annotations].map((texts) => Object.entries(texts).toSorted(byKey));
  return JSON.stringify([sorted, ownerReferences, spec, status, workloadObject, workloadType]);
}

const byKey = ([one]: readonly [string, string], [other]: readonly [string, string]): number =>
  one < other ? -1 : 1;

const { properties = {} } = toOpenApi(v.object(body), {
  spec: "What the pod asks for.",
  hostNetwork: "The pod uses the network of its node.",
  nodeName: "Name of the node on which the pod runs.",
  status: "What the pod has.",
  podIP: "IP address of the pod.",
  podIPs: "All IP addresses of the pod; the first one is podIP.",
  IP: "An IPv4 or IPv6 address.",
  workloadObject: "The workload to which the pod belongs, the pod itself without one.",
  "workloadObject.name": "Name of the workload.",
  "workloadObject.namespace": "Namespace of the workload.",
  workloadType: "Kind of the workload, such as Deployment.",
  apiVersion: "API version of the kind.",
  kind: "Kind of the workload.",
});

export const podInfoCrd = toCustomResourceDefinition({
  names: { kind: "PodInfo", plural: "podinfo", singular: "podinfo", shortNames: ["tgpi"] },
  scope: "Namespaced",
  description: "What a pod is: addresses, node and workload. The operator keeps one for each pod.",
  properties,
});
