// SPDX-License-Identifier: Apache-2.0
// The PodInfo of a pod, as Tetragon's operator makes it.

import { findWorkload, type Keep } from "@rthooks/kube";
import * as v from "valibot";
import type { PodInfo } from "./pod-info.ts";

export interface SourcePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a pod that is not scheduled yet, has no address, or is being deleted. */
  readonly info: PodInfo | undefined;
}

const text = v.nullish(v.string(), "");
const texts = v.nullish(v.record(v.string(), v.string()), {});

const schema = v.object({
  metadata: v.object({
    uid: v.pipe(v.string(), v.nonEmpty()),
    name: v.pipe(v.string(), v.nonEmpty()),
    namespace: v.pipe(v.string(), v.nonEmpty()),
    generateName: text,
    deletionTimestamp: v.nullish(v.unknown()),
    labels: texts,
    annotations: texts,
    ownerReferences: v.nullish(
      v.array(
        v.object({ apiVersion: text, kind: text, name: text, controller: v.nullish(v.boolean(), false) }),
      ),
      [],
    ),
  }),
  spec: v.nullish(v.object({ nodeName: text, hostNetwork: v.nullish(v.boolean(), false) })),
  status: v.nullish(v.object({ podIP: text, podIPs: v.nullish(v.array(v.object({ ip: text })), []) })),
});

/** The members of a pod that `readSourcePod` needs, then those that it cannot do without. */
const needed = {
  spec: { nodeName: true, hostNetwork: true },
  status: { podIP: true, podIPs: true },
} as const; // const: each is kept
const identity = {
  uid: true,
  name: true,
  namespace: true,
  resourceVersion: true,
  deletionTimestamp: true,
} as const; // const: each is kept
export const sourcePodParts: readonly Keep[] = [
  {
    metadata: { ...identity, generateName: true, labels: true, annotations: true, ownerReferences: true },
    ...needed,
  },
  { metadata: identity, ...needed },
];

/**
 * Limit for the labels and annotations of a pod together, in characters of JSON. Annotations over it are left out, and then
 * labels: their author could make the operator copy 256 KiB of annotations for each pod.
 */
const MAX_TEXTS = 32 * 1024;

/** Undefined for anything but a pod. */
export function readSourcePod(value: unknown): SourcePod | undefined {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.output;
  const { uid, namespace, name, generateName, ownerReferences } = metadata;
  const isReady =
    metadata.deletionTimestamp == null &&
    (spec?.nodeName ?? "") !== "" &&
    (status?.podIP ?? "") !== "" &&
    (status?.podIPs.length ?? 0) > 0;
  if (!isReady) return { uid, namespace, name, info: undefined };
  const labels = metadata.labels;
  const owners = ownerReferences.map(({ controller: isController, ...owner }) => ({
    ...owner,
    isController,
  }));
  const workload = findWorkload({ name, generateName, labels: new Map(Object.entries(labels)), owners });
  const owner = owners.find(({ isController }) => isController);
  const info: PodInfo = {
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "PodInfo" },
    metadata: {
      ...{ name, namespace, ...limitTexts(labels, metadata.annotations) },
      // The API server deletes the PodInfo with its pod.
      ownerReferences: [
        { apiVersion: "v1", kind: "Pod", name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: { hostNetwork: spec?.hostNetwork ?? false, nodeName: spec?.nodeName ?? "" },
    status: {
      podIP: status?.podIP ?? "",
      podIPs: (status?.podIPs ?? []).map(({ ip }) => ({ IP: ip })),
    },
    workloadObject: { name: workload.name, namespace },
    workloadType: { apiVersion: toApiVersion(workload.kind, owner?.apiVersion), kind: workload.kind },
  };
  return { uid, namespace, name, info };
}

type Texts = Readonly<Record<string, string>>;

function limitTexts(labels: Texts, annotations: Texts) {
  const size = JSON.stringify(labels).length;
  if (size > MAX_TEXTS) return { labels: {}, annotations: {} };
  return {
    labels: { ...labels },
    annotations: size + JSON.stringify(annotations).length > MAX_TEXTS ? {} : { ...annotations },
  };
}

/** A workload above the owner is of the same group, but for a CronJob: that is what Tetragon writes. */
function toApiVersion(kind: string, ofOwner: string | undefined): string {
  if (kind === "Pod") return "v1";
  return kind === "CronJob" ? "batch/v1beta1" : (ofOwner ?? "");
}
