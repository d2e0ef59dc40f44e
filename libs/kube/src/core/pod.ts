// SPDX-License-Identifier: Apache-2.0
// A pod of the core/v1 API, reduced to the fields that the agent reads: a node may have hundreds of pods.

import type { Labels } from "@rthooks/oci";
import * as v from "valibot";
import type { Keep } from "./json-filter.ts";
import { findWorkload, type Workload } from "./workload.ts";

export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** The hash by which the kubelet runs a static pod; its mirror pod in the API has a UID of its own. */
  readonly staticPodHash: string | undefined;
  readonly workload: Workload;
  /** The running containers in the pod's status. The kubelet updates it late, and removes stopped containers. */
  readonly containers: readonly PodContainer[];
}

export interface PodContainer {
  /** Without the runtime's prefix (`containerd://`). */
  readonly id: string;
  /** The prefix of the id: "containerd", "cri-o". */
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  /** As the kubelet writes it; empty where the runtime gives none. */
  readonly imageId: string;
  /** Unix time. */
  readonly startedMs: number | undefined;
}

/** Annotation of a mirror pod with the static pod's config hash (kubernetes pkg/kubelet/types). */
const MIRROR = "kubernetes.io/config.mirror";

const text = v.pipe(v.string(), v.nonEmpty());
/** Only events show these: one of another type is left out, and the pod counts. */
const optionalText = v.fallback(v.nullish(v.string(), ""), "");
const optionalFlag = v.fallback(v.nullish(v.boolean(), false), false);
const running = v.object({ startedAt: optionalText });
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
    generateName: optionalText,
    labels: texts,
    annotations: texts,
    ownerReferences: v.nullish(
      v.array(v.object({ kind: v.string(), name: optionalText, controller: optionalFlag })),
    ),
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

const statuses: Keep = {
  initContainerStatuses: status,
  containerStatuses: status,
  ephemeralContainerStatuses: status,
};
const identity = { uid: true, name: true, namespace: true, resourceVersion: true, labels: true } as const; // const: each is kept

/**
 * The fields that `podSchema` reads; the others are what makes a pod large. An author of pods can make the owners' names
 * large, too: then the pod is known without owners.
 */
export const podParts: readonly Keep[] = [
  {
    metadata: {
      ...identity,
      generateName: true,
      annotations: { [MIRROR]: true },
      ownerReferences: { kind: true, name: true, controller: true },
    },
    status: statuses,
  },
  { metadata: identity, status: statuses },
];

type PodObject = v.InferOutput<typeof podSchema>;

const HASH = /^[0-9a-f]{32}$/;

export function readPod({ metadata, status }: PodObject): Pod {
  const { uid, namespace, name, generateName, annotations } = metadata;
  const labels = new Map(Object.entries(metadata.labels ?? {}));
  const references = metadata.ownerReferences ?? [];
  const owners = references.map(({ controller: isController, ...owner }) => ({ ...owner, isController }));
  // Any author of a pod can write the annotation, but only mirror pods of the kubelet are owned by a node.
  const isOfNode = owners.some(({ kind }) => kind === "Node");
  const hash = annotations?.[MIRROR] ?? "";
  return {
    uid,
    namespace,
    name,
    labels,
    staticPodHash: isOfNode && HASH.test(hash) ? hash : undefined,
    workload: findWorkload({ name, generateName, labels, owners }),
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
  const [runtime = "", id = ""] = containerID?.split("://") ?? [];
  if (id === "" || (state?.running ?? undefined) === undefined) return [];
  // imageID is the runtime's name with the digest, where it has a name; `image` may be a bare image hash.
  const named = imageID?.includes("@") === true ? imageID : (image ?? "");
  const imageId = (imageID?.length ?? 0) > maxImageIdLength ? "" : (imageID ?? "");
  const startedMs = readStart(state?.running);
  return [{ id, runtime, name, image: named.replace(/^[a-z-]+:\/\//, ""), imageId, startedMs }];
}

/** A reference to an image has at most 255 characters before its digest; runtimes add a prefix. */
const maxImageIdLength = 1024;
/** The last time of a protobuf Timestamp. */
const maxTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59);

function readStart(value: unknown): number | undefined {
  const parsed = v.safeParse(running, value);
  const startedMs = parsed.success ? Date.parse(parsed.output.startedAt) : Number.NaN;
  return startedMs >= 0 && startedMs <= maxTimeMs ? startedMs : undefined;
}

/** Undefined for anything but a pod. */
export function toPod(value: unknown): Pod | undefined {
  const parsed = v.safeParse(podSchema, value);
  return parsed.success ? readPod(parsed.output) : undefined;
}
