// SPDX-License-Identifier: Apache-2.0
// What the pod machine knows, and how events change it: pure.

import { haveSameLabels, type Labels } from "@rthooks/oci";
import type { ActorRefFrom } from "xstate";
import type { ContainerLogic } from "./container-machine.ts";
import type { ContainerReport, Failure, PodIdentity } from "./domain.ts";

export type ContainerRef = ActorRefFrom<ContainerLogic>;

export interface PodContext {
  readonly identity: PodIdentity;
  readonly containers: ReadonlyMap<string, ContainerRef>;
}

export interface PodInput {
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
}

interface SourcePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
}

export type PodEvent =
  | { readonly type: "container.reported"; readonly report: ContainerReport }
  | { readonly type: "container.gone"; readonly containerId: string }
  | { readonly type: "source.found"; readonly pod: SourcePod }
  | { readonly type: "source.missing" }
  | { readonly type: "source.unlisted" }
  | { readonly type: "source.deleted" };

const namespaceConflict = (known: string, told: string): Failure => ({
  kind: "namespace-conflict",
  message: `the pod is in namespace ${JSON.stringify(known)}, not in ${JSON.stringify(told)}`,
});

export const podIsDeleted: Failure = { kind: "pod-gone", message: "the pod was deleted" };

interface Args {
  readonly context: PodContext;
  readonly event: PodEvent;
}

const reportsKnownContainer = ({ context, event }: Args): boolean =>
  event.type === "container.reported" && context.containers.has(event.report.containerId);
const bringsLabels = ({ event }: Args): boolean =>
  event.type === "container.reported" && event.report.podLabels !== undefined;
const reportsOtherNamespace = ({ context, event }: Args): boolean =>
  event.type === "container.reported" && differ(context.identity.namespace, event.report.podNamespace);

export const podGuards = {
  reportsKnownContainer,
  bringsLabels,
  reportsOtherNamespace,
  bringsLabelsOfOtherNamespace: (args: Args) => bringsLabels(args) && reportsOtherNamespace(args),
  bringsLabelsToKnownContainer: (args: Args) => bringsLabels(args) && reportsKnownContainer(args),
  sourceSaysOtherNamespace: ({ context, event }: Args) =>
    event.type === "source.found" && differ(context.identity.namespace, event.pod.namespace),
  isLastContainer: ({ context, event }: Args) =>
    event.type === "container.gone" &&
    context.containers.size === (context.containers.has(event.containerId) ? 1 : 0),
  isEmpty: ({ context }: Args) => context.containers.size === 0,
} as const; // const, so that the names stay literals

export const conflictOfSource = ({ context, event }: Args) => ({
  failure: namespaceConflict(
    event.type === "source.found" ? event.pod.namespace : "",
    context.identity.namespace,
  ),
});

export const conflictOfAnnouncement = ({ context, event }: Args) => ({
  failure: namespaceConflict(
    context.identity.namespace,
    event.type === "container.reported" ? event.report.podNamespace : "",
  ),
});

/** What the call says of the pod fills what was not known; the same object where it says nothing new. */
export function withAnnounced(
  identity: PodIdentity,
  { report }: Extract<PodEvent, { readonly type: "container.reported" }>,
): PodIdentity {
  const uid = identity.uid ?? report.podUid;
  const namespace = identity.namespace || report.podNamespace;
  const name = identity.name || report.podName;
  const isSame = uid === identity.uid && namespace === identity.namespace && name === identity.name;
  return isSame ? identity : { ...identity, uid, namespace, name };
}

/** The same object when the report says nothing new. */
export function withLabels(identity: PodIdentity, { podLabels }: ContainerReport): PodIdentity {
  if (podLabels === undefined) return identity;
  if (identity.identitySource === "nri" && haveSameLabels(identity.labels, podLabels)) return identity;
  return { ...identity, labels: podLabels, identitySource: "nri" };
}

/** An empty text says nothing, so it contradicts nothing. */
function differ(known: string, told: string): boolean {
  return known !== "" && told !== "" && known !== told;
}
