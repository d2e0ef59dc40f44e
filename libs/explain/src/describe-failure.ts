// SPDX-License-Identifier: Apache-2.0
// Failures in plain words: what failed, and what the operator can do.

import type { FailureAdvice } from "./explanation.ts";

type Advice = Pick<FailureAdvice, "what" | "next">;

/** Kinds of the agent (base/core/refusal.ts), of the hook (HookFailure of @rthooks/machines/hook), and "plugin". */
const advices = {
  "bad-request": {
    what: "The agent cannot use the request: one of its fields is wrong.",
    next: "Find the field in the message, and who sets it: the runtime, the kubelet, or annotations of the pod.",
  },
  "cgroup-missing": {
    what: "The agent did not find the container's cgroup.",
    next: "If it is so for every container, set the agent's --cgroup-root, or its --procfs where it runs in a container. If it is so for one, the runtime removed it before the agent looked.",
  },
  "cgroup-unreadable": {
    what: "The agent cannot read the container's cgroup.",
    next: "See the error in the message, and check the agent's rights on the cgroup hierarchy.",
  },
  "cgroup-conflict": {
    what: "The cgroup of the request belongs to another container, or the container is in another cgroup.",
    next: "Find the other container with `tetragon status -o json`: two containers with the same cgroup path cannot run at the same time.",
  },
  "too-late": {
    what: "The caller stopped waiting before the agent answered.",
    next: "See what took the time, and raise the hook's --grpc-timeout if the agent needs more.",
  },
  "namespace-conflict": {
    what: "The request names another namespace than the pod is in.",
    next: "Compare the pod's sandbox with the pod at the API server, or with the pods file: that one counts, and may be out of date.",
  },
  "pod-conflict": {
    what: "The container is on record in another pod.",
    next: "Compare the pod UIDs in the message: the runtime used an id twice, or the request is forged.",
  },
  "pod-gone": {
    what: "The pod was deleted before the container started.",
    next: "Nothing, if the pod was to be deleted: its controller makes another one.",
  },
  "pod-unknown": {
    what: "The API server does not have the pod.",
    next: "Check that the agent asks the same cluster as the kubelet, with the right --node-name. If new pods arrive late, raise --pod-wait.",
  },
  "filter-full": {
    what: "A filter map has no room for the container's cgroup.",
    next: "Remove containers that are not needed, or policies that select most of them: see `tetragon policies`.",
  },
  internal: {
    what: "The agent has a bug: it could not process the request.",
    next: "Report it, with the agent's log lines about this container.",
  },
  unreachable: {
    what: "The agent cannot be reached at the hook's --grpc-address.",
    next: "Check that the agent runs, listens at that address, and that its socket's directory is the host's: `tetragon-oci-hook-setup doctor`.",
  },
  deadline: {
    what: "The agent did not release the container before the hook's deadline.",
    next: "If the hook did not reach the agent, check that it runs: `tetragon status`. If it did, the agent's log has the container.",
  },
  spec: {
    what: "The hook cannot read the container's OCI spec, or the spec lacks what the request needs.",
    next: "The message has the path. Check the bundle that the runtime made.",
  },
  refused: {
    what: "The agent answered the request with an error.",
    next: "The message has the agent's reason, and the agent's log has the container.",
  },
  plugin: {
    what: "The NRI plugin denied the container.",
    next: "The message has its reason, and the plugin's log has the container.",
  },
} as const satisfies Readonly<Record<string, Advice>>; // const: the keys are the kinds

export type FailureKind = keyof typeof advices;

/** `message`: as the program reported it; it may contain any text. A kind of a newer program has general advice. */
export function describeFailure(kind: string, message: string): FailureAdvice {
  const advice: Advice = isFailureKind(kind) ? advices[kind] : unknownKind;
  return { kind, ...advice, message };
}

export const isFailureKind = (kind: string): kind is FailureKind => Object.hasOwn(advices, kind);

const unknownKind: Advice = {
  what: "The container was not registered, for a reason that this version does not know.",
  next: "See the message, and the log lines about this container.",
};
