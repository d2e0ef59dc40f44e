// SPDX-License-Identifier: Apache-2.0
// A pod as the API server has it, cut down to what the agent needs: a node may have hundreds, a test ten thousand.

import * as v from "valibot";

export interface KubePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Of a static pod: its mirror says under which hash the kubelet runs it. */
  readonly mirrorOf: string | undefined;
}

const texts = v.nullish(v.record(v.string(), v.string()));
const object = v.object({
  metadata: v.object({
    uid: v.pipe(v.string(), v.nonEmpty()),
    namespace: v.pipe(v.string(), v.nonEmpty()),
    name: v.pipe(v.string(), v.nonEmpty()),
    labels: texts,
    annotations: texts,
    ownerReferences: v.nullish(v.array(v.object({ kind: v.string() }))),
  }),
});

const MIRROR = "kubernetes.io/config.mirror";
const HASH = /^[0-9a-f]{32}$/;

/** Undefined for what is no pod. */
export function toKubePod(value: unknown): KubePod | undefined {
  const parsed = v.safeParse(object, value);
  if (!parsed.success) return undefined;
  const { metadata } = parsed.output;
  const { uid, namespace, name, labels, annotations } = metadata;
  // Anybody may write the annotation; only the kubelet's pods are owned by a node.
  const isOfNode = (metadata.ownerReferences ?? []).some(({ kind }) => kind === "Node");
  const hash = annotations?.[MIRROR] ?? "";
  return {
    uid,
    namespace,
    name,
    labels: new Map(Object.entries(labels ?? {})),
    mirrorOf: isOfNode && HASH.test(hash) ? hash : undefined,
  };
}
