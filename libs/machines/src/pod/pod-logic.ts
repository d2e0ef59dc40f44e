// SPDX-License-Identifier: Apache-2.0
// Context, events and guards of the pod machine: pure functions.

import { haveSameLabels, type Labels } from "@rthooks/oci";
import type { ActorRefFrom } from "xstate";
import type { TransitionArgs } from "../table/machine-table.ts";
import type { ContainerLogic } from "./container-machine.ts";
import type { ContainerReport, Failure, Origin, PodIdentity } from "./domain.ts";

export type ContainerRef = ActorRefFrom<ContainerLogic>;

export interface PodContext {
  readonly identity: PodIdentity;
  readonly containers: ReadonlyMap<string, ContainerRef>;
}

export interface PodInput {
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
  /** Of the first report. */
  readonly origin: Origin;
}

export const toPodContext = ({ uid, namespace, name, origin }: PodInput): PodContext => ({
  identity: {
    uid,
    namespace,
    name,
    labels: noLabels,
    identitySource: "hook",
    origins: {
      uid: uid === undefined ? undefined : origin,
      namespace: namespace === "" ? undefined : origin,
      name: name === "" ? undefined : origin,
    },
  },
  containers: new Map(),
});

const noLabels: Labels = new Map();

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

const namespaceConflict = (known: string, reported: string): Failure => ({
  kind: "namespace-conflict",
  message: `the pod is in namespace ${JSON.stringify(known)}, not in ${JSON.stringify(reported)}`,
});

export const podIsDeleted: Failure = { kind: "pod-gone", message: "the pod was deleted" };

export type PodArgs = TransitionArgs<PodContext, PodEvent>;

const isKnownContainer = ({ context, event }: PodArgs): boolean =>
  event.type === "container.reported" && context.containers.has(event.report.containerId);
const hasLabels = ({ event }: PodArgs): boolean =>
  event.type === "container.reported" && event.report.podLabels !== undefined;
const isOtherNamespace = ({ context, event }: PodArgs): boolean =>
  event.type === "container.reported" && differ(context.identity.namespace, event.report.podNamespace);

export const podGuards = {
  isKnownContainer,
  hasLabels,
  isOtherNamespace,
  hasLabelsOfOtherNamespace: (args: PodArgs) => hasLabels(args) && isOtherNamespace(args),
  hasLabelsOfKnownContainer: (args: PodArgs) => hasLabels(args) && isKnownContainer(args),
  isOtherNamespaceInSource: ({ context, event }: PodArgs) =>
    event.type === "source.found" && differ(context.identity.namespace, event.pod.namespace),
  isLastContainer: ({ context, event }: PodArgs) =>
    event.type === "container.gone" &&
    context.containers.size === (context.containers.has(event.containerId) ? 1 : 0),
  isEmpty: ({ context }: PodArgs) => context.containers.size === 0,
} as const; // const, so that the names stay literals

/** The pod source has another namespace than the container reports so far. */
export const toSourceConflict = ({ context, event }: PodArgs): Failure =>
  namespaceConflict(event.type === "source.found" ? event.pod.namespace : "", context.identity.namespace);

/** The container report has another namespace than the pod. */
export const toReportConflict = ({ context, event }: PodArgs): Failure =>
  namespaceConflict(
    context.identity.namespace,
    event.type === "container.reported" ? event.report.podNamespace : "",
  );

/** Fills fields of the identity that are unknown from the report; the same object where the report adds nothing. */
export function withReportedNames(
  identity: PodIdentity,
  { report }: Extract<PodEvent, { readonly type: "container.reported" }>,
): PodIdentity {
  const uid = identity.uid ?? report.podUid;
  const namespace = identity.namespace || report.podNamespace;
  const name = identity.name || report.podName;
  const addsUid = uid !== identity.uid;
  const addsNamespace = namespace !== identity.namespace;
  const addsName = name !== identity.name;
  if (!addsUid && !addsNamespace && !addsName) return identity;
  const origin = toOrigin(report);
  const origins = {
    ...identity.origins,
    ...(addsUid ? { uid: origin } : {}),
    ...(addsNamespace ? { namespace: origin } : {}),
    ...(addsName ? { name: origin } : {}),
  };
  return { ...identity, uid, namespace, name, origins };
}

/** The same object where the report adds nothing. */
export function withLabels(identity: PodIdentity, report: ContainerReport): PodIdentity {
  const { podLabels: labels } = report;
  if (labels === undefined) return identity;
  if (identity.identitySource === "nri" && haveSameLabels(identity.labels, labels)) return identity;
  const origins = { ...identity.origins, labels: toOrigin(report) };
  return { ...identity, labels, identitySource: "nri", origins };
}

/** The source's values replace those of reports, but for the UID: a static pod has another one in the API. */
export const withSourceIdentity = ({ uid, origins }: PodIdentity, pod: SourcePod): PodIdentity => ({
  ...pod,
  uid: uid ?? pod.uid,
  identitySource: "pod-source",
  origins: uid === undefined ? noOrigins : { uid: origins.uid },
});

export const toOrigin = ({ source, seenAtNanos: atNanos }: ContainerReport): Origin => ({ source, atNanos });

const noOrigins: PodIdentity["origins"] = {};

/** An empty text means unknown, and unknown differs from nothing. */
function differ(known: string, reported: string): boolean {
  return known !== "" && reported !== "" && known !== reported;
}
