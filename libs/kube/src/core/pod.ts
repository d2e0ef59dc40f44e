// SPDX-License-Identifier: Apache-2.0
// A pod of the core/v1 API, reduced to the fields that the agent reads: a node may have hundreds of pods.

import type { Labels } from "@rthooks/oci";
import * as v from "valibot";
import type { Keep } from "./json-filter.ts";

export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** The hash by which the kubelet runs a static pod; its mirror pod in the API has a UID of its own. */
  readonly staticPodHash: string | undefined;
  /** The running containers in the pod's status. The kubelet updates it late, and removes stopped containers. */
  readonly containers: readonly PodContainer[];
}

export interface PodContainer {
  /** Without the runtime's prefix (`containerd://`). */
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

/** Annotation of a mirror pod with the static pod's config hash (kubernetes pkg/kubelet/types). */
const MIRROR = "kubernetes.io/config.mirror";

const text = v.pipe(v.string(), v.nonEmpty());
const texts = v.nullish(v.record(v.string(), v.string()));
const containers = v.nullish(
  v.array(
    v.object({
      name: v.string(),
      image: v.nullish(v.string()),
      imageID: v.nullish(v.string()),
      containerID: v.nullish(v.string()),
      state: v.nullish(v.object({ running: v.nullish(v.unknown()) })),
    }),
  ),
);

/** The fields of a core/v1 Pod that are read. */
export const podSchema = v.object({
  metadata: v.object({
    uid: text,
    name: text,
    namespace: text,
    labels: texts,
    annotations: texts,
    ownerReferences: v.nullish(v.array(v.object({ kind: v.string() }))),
  }),
  status: v.nullish(
    v.object({
      initContainerStatuses: containers,
      containerStatuses: containers,
      ephemeralContainerStatuses: containers,
    }),
  ),
});

const status: Keep = { name: true, image: true, imageID: true, containerID: true, state: true };

/** The fields that `podSchema` reads; the others are what makes a pod large. */
export const podParts: Keep = {
  metadata: {
    uid: true,
    name: true,
    namespace: true,
    resourceVersion: true,
    labels: true,
    annotations: { [MIRROR]: true },
    ownerReferences: { kind: true },
  },
  status: {
    initContainerStatuses: status,
    containerStatuses: status,
    ephemeralContainerStatuses: status,
  },
};

type PodObject = v.InferOutput<typeof podSchema>;

const HASH = /^[0-9a-f]{32}$/;

export function readPod({ metadata, status }: PodObject): Pod {
  const { uid, namespace, name, labels, annotations } = metadata;
  // Any author of a pod can write the annotation, but only mirror pods of the kubelet are owned by a node.
  const isOfNode = (metadata.ownerReferences ?? []).some(({ kind }) => kind === "Node");
  const hash = annotations?.[MIRROR] ?? "";
  return {
    uid,
    namespace,
    name,
    labels: new Map(Object.entries(labels ?? {})),
    staticPodHash: isOfNode && HASH.test(hash) ? hash : undefined,
    containers: [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ].flatMap(readContainer),
  };
}

type StatusObject = NonNullable<NonNullable<PodObject["status"]>["containerStatuses"]>[number];

function readContainer({ name, image, imageID, containerID, state }: StatusObject): readonly PodContainer[] {
  // "containerd://0123…"
  const id = containerID?.split("://")[1] ?? "";
  if (id === "" || (state?.running ?? undefined) === undefined) return [];
  // imageID is the runtime's name with the digest, where it has a name; `image` may be a bare image hash.
  const named = imageID?.includes("@") === true ? imageID : (image ?? "");
  return [{ id, name, image: named.replace(/^[a-z-]+:\/\//, "") }];
}

/** Undefined for anything but a pod. */
export function toPod(value: unknown): Pod | undefined {
  const parsed = v.safeParse(podSchema, value);
  return parsed.success ? readPod(parsed.output) : undefined;
}
