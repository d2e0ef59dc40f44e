// SPDX-License-Identifier: Apache-2.0
// Why the agent answers a hook call with an error. `message` is one line that says what to do about it.

export const refusalKinds = [
  // The request itself is wrong; a repetition fails too.
  "bad-request",
  "cgroup-missing",
  "cgroup-unreadable",
  // The cgroup is another container's, or the container has another one.
  "cgroup-conflict",
  // The caller stopped waiting before the answer.
  "too-late",
  "namespace-conflict",
  // The container is on record in another pod.
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

/** Machines carry failures as plain data; a kind that is not in the list is a bug and becomes `internal`. */
export function toRefusal({ kind, message }: { readonly kind: string; readonly message: string }): Refusal {
  return { kind: refusalKinds.find((known) => known === kind) ?? "internal", message };
}
