// SPDX-License-Identifier: Apache-2.0
// Why a hook call is not answered with success; `message` tells the person what to do about it.

const refusalKinds = [
  // The request itself is wrong; repeating it will not help.
  "bad-request",
  "cgroup-missing",
  "cgroup-unreadable",
  // The cgroup is another container's, or the container has another one.
  "cgroup-conflict",
  // The caller had given up before it was answered.
  "too-late",
  "namespace-conflict",
  // The container is on record as part of another pod.
  "pod-conflict",
  "pod-gone",
  // The API server has no such pod.
  "pod-unknown",
  "filter-full",
  "internal",
] as const; // const, so that the type below is the union of the words

export type RefusalKind = (typeof refusalKinds)[number];

export interface Refusal {
  readonly kind: RefusalKind;
  readonly message: string;
}

/** What a machine hands on is a refusal of ours, or a bug. */
export function toRefusal({ kind, message }: { readonly kind: string; readonly message: string }): Refusal {
  return { kind: refusalKinds.find((known) => known === kind) ?? "internal", message };
}
