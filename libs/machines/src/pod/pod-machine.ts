// SPDX-License-Identifier: Apache-2.0
// One pod and its containers, which are its child actors. A container without a pod has a machine of its own
// with an undefined uid: then nobody else's end can be its end.
//
//   seen → announced (only hooks and NRI tell of it) | confirmed (the pod source knows it) → leaving → gone
//
// Labels that an announcement brings are used at once, without waiting for the pod source. Once the source knows the
// pod, its labels win: NRI has them as they were when the pod's sandbox was made, and labels change while a pod runs.
// Of two announcements the later one wins, since a pod may get a new sandbox.
//
// findPod answers source.found or source.missing, at once or later; source.found and source.deleted also come
// unasked when the source changes.

import { type ActorRefFrom, assign, setup } from "xstate";
import { createTableLogic, type TableLogic } from "../actor/table-logic.ts";
import { type ContainerLogic, containerMachine } from "./container-machine.ts";
import {
  type Announcement,
  type Failure,
  haveSameLabels,
  type Labels,
  notProvided,
  type PodIdentity,
} from "./domain.ts";

type ContainerRef = ActorRefFrom<ContainerLogic>;

interface PodContext {
  readonly identity: PodIdentity;
  readonly containers: ReadonlyMap<string, ContainerRef>;
}

interface PodInput {
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
  | { readonly type: "container.announced"; readonly announcement: Announcement }
  | { readonly type: "container.gone"; readonly containerId: string }
  | { readonly type: "source.found"; readonly pod: SourcePod }
  | { readonly type: "source.missing" }
  | { readonly type: "source.deleted" };

const childId = (containerId: string): string => `container:${containerId}`;

const namespaceConflict = (known: string, told: string): Failure => ({
  kind: "namespace-conflict",
  message: `the pod is in namespace ${JSON.stringify(known)}, not in ${JSON.stringify(told)}`,
});

const podIsLeaving: Failure = { kind: "pod-gone", message: "the pod was deleted" };

interface GuardArgs {
  readonly context: PodContext;
  readonly event: PodEvent;
}

const announcesKnownContainer = ({ context, event }: GuardArgs): boolean =>
  event.type === "container.announced" && context.containers.has(event.announcement.containerId);
const bringsLabels = ({ event }: GuardArgs): boolean =>
  event.type === "container.announced" && event.announcement.podLabels !== undefined;
const announcesOtherNamespace = ({ context, event }: GuardArgs): boolean =>
  event.type === "container.announced" && differ(context.identity.namespace, event.announcement.podNamespace);

const effects = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as {
    context: PodContext;
    events: PodEvent;
    input: PodInput;
    children: Record<string, "container">;
  },
  actors: { container: createTableLogic(containerMachine) },
  actions: {
    /** Asks the pod source; answers source.found or source.missing. */
    findPod: notProvided("findPod"),
    /** The pod's labels, or its name, are other ones than the policy filter was told. */
    updateFilter: notProvided("updateFilter"),
    /** Answers the callers of an announcement that no container stands for. */
    refuseAnnouncement: (_, _params: { readonly failure: Failure }) => notProvided("refuseAnnouncement")(),
    reportConflict: (_, _params: { readonly failure: Failure }) => notProvided("reportConflict")(),
    reportPodGone: notProvided("reportPodGone"),

    spawnContainer: assign(({ context, event, spawn }, params: { readonly identified: boolean }) => {
      if (event.type !== "container.announced") return {};
      const { announcement } = event;
      const identity = withAnnounced(context.identity, announcement);
      const child = spawn("container", {
        id: childId(announcement.containerId),
        input: { announcement, pod: params.identified ? identity : undefined },
      });
      return { identity, containers: new Map(context.containers).set(announcement.containerId, child) };
    }),
    adoptLabels: assign(({ context, event }) =>
      event.type === "container.announced"
        ? { identity: withLabels(context.identity, event.announcement) }
        : {},
    ),
    /** The uid by which the hook calls a pod stays: a static pod has another one in the API. */
    adoptSource: assign(({ context, event }) => {
      if (event.type !== "source.found") return {};
      const uid = context.identity.uid ?? event.pod.uid;
      return { identity: { ...event.pod, uid, knownBy: "source" as const } };
    }),
  },
  guards: {
    announcesKnownContainer,
    bringsLabels,
    announcesOtherNamespace,
    bringsLabelsOfOtherNamespace: (args) => bringsLabels(args) && announcesOtherNamespace(args),
    bringsLabelsToKnownContainer: (args) => bringsLabels(args) && announcesKnownContainer(args),
    sourceSaysOtherNamespace: ({ context, event }) =>
      event.type === "source.found" && differ(context.identity.namespace, event.pod.namespace),
    isLastContainer: ({ context, event }) =>
      event.type === "container.gone" &&
      context.containers.size === (context.containers.has(event.containerId) ? 1 : 0),
    isEmpty: ({ context }) => context.containers.size === 0,
  },
});

/** What a pod tells its containers; typed by the setup above, hence a second step. */
const podSetup = effects.extend({
  actions: {
    announceAgain: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.announced") return;
      const child = context.containers.get(event.announcement.containerId);
      if (child === undefined) return;
      // The identity goes along, so that a failed container can start over without asking for it.
      const pod = withAnnounced(context.identity, event.announcement);
      enqueue.sendTo(child, { type: "container.announced", announcement: event.announcement, pod });
    }),
    /** Where the pod's containers are under policies, those must hear of it. */
    learnLabels: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.announced") return;
      const identity = withLabels(context.identity, event.announcement);
      if (identity === context.identity) return;
      enqueue.assign({ identity });
      if (context.containers.size === 0) return;
      enqueue("updateFilter");
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: identity });
      }
    }),
    announceAgainUnidentified: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.announced") return;
      const child = context.containers.get(event.announcement.containerId);
      if (child === undefined) return;
      enqueue.sendTo(child, {
        type: "container.announced",
        announcement: event.announcement,
        pod: undefined,
      });
    }),
    dropContainer: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.gone") return;
      const containers = new Map(context.containers);
      containers.delete(event.containerId);
      enqueue.stopChild(childId(event.containerId));
      enqueue.assign({ containers });
    }),
    tellContainersWhoTheyAre: effects.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: context.identity });
      }
    }),
    tellContainersTheyAreRefused: effects.enqueueActions(({ context, event, enqueue }) => {
      const refusal = { type: "identity.refused" as const, ...conflictOfSource({ context, event }) };
      for (const child of context.containers.values()) enqueue.sendTo(child, refusal);
    }),
    tellContainersThePodIsGone: effects.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) enqueue.sendTo(child, { type: "pod.gone" });
    }),
  },
});

const conflictOfSource = ({ context, event }: { context: PodContext; event: PodEvent }) => ({
  failure: namespaceConflict(
    event.type === "source.found" ? event.pod.namespace : "",
    context.identity.namespace,
  ),
});

const conflictOfAnnouncement = ({ context, event }: { context: PodContext; event: PodEvent }) => ({
  failure: namespaceConflict(
    context.identity.namespace,
    event.type === "container.announced" ? event.announcement.podNamespace : "",
  ),
});

/** A call for a pod whose identity is the source's. */
const onceIdentified = [
  {
    guard: "announcesOtherNamespace",
    actions: { type: "refuseAnnouncement", params: conflictOfAnnouncement },
  },
  { guard: "announcesKnownContainer", actions: "announceAgain" },
  { actions: { type: "spawnContainer", params: { identified: true } } },
] as const; // const, so that the names stay literals that setup() checks

export const podMachine = podSetup.createMachine({
  id: "pod",
  context: ({ input }) => ({
    identity: { ...input, labels: new Map<string, string>(), knownBy: "hook" },
    containers: new Map<string, ContainerRef>(),
  }),
  initial: "seen",
  on: { "container.gone": { actions: "dropContainer" } },
  states: {
    seen: {
      description: "A hook told of it; the pod source is being asked.",
      entry: "findPod",
      on: {
        "container.announced": [
          {
            guard: "bringsLabelsOfOtherNamespace",
            actions: { type: "refuseAnnouncement", params: conflictOfAnnouncement },
          },
          {
            guard: "bringsLabelsToKnownContainer",
            target: "announced",
            actions: ["adoptLabels", "announceAgain", "tellContainersWhoTheyAre"],
          },
          {
            guard: "bringsLabels",
            target: "announced",
            actions: [
              "adoptLabels",
              "tellContainersWhoTheyAre",
              { type: "spawnContainer", params: { identified: true } },
            ],
          },
          { guard: "announcesKnownContainer", actions: "announceAgainUnidentified" },
          { actions: { type: "spawnContainer", params: { identified: false } } },
        ],
        "source.found": [
          {
            guard: "sourceSaysOtherNamespace",
            target: "confirmed",
            // The source is right about the pod; the hook calls that said otherwise are refused.
            actions: [
              { type: "reportConflict", params: conflictOfSource },
              "tellContainersTheyAreRefused",
              "adoptSource",
            ],
          },
          { target: "confirmed", actions: ["adoptSource", "tellContainersWhoTheyAre"] },
        ],
        "source.missing": { target: "announced", actions: "tellContainersWhoTheyAre" },
        "source.deleted": "leaving",
      },
    },
    announced: {
      description: "Only hooks and NRI have told of it; its labels are known if NRI has.",
      on: {
        "container.announced": [
          {
            guard: "announcesOtherNamespace",
            actions: { type: "refuseAnnouncement", params: conflictOfAnnouncement },
          },
          { guard: "announcesKnownContainer", actions: ["learnLabels", "announceAgain"] },
          { actions: ["learnLabels", { type: "spawnContainer", params: { identified: true } }] },
        ],
        "container.gone": [
          { guard: "isLastContainer", target: "gone", actions: "dropContainer" },
          { actions: "dropContainer" },
        ],
        "source.found": [
          {
            guard: "sourceSaysOtherNamespace",
            actions: { type: "reportConflict", params: conflictOfSource },
          },
          {
            target: "confirmed",
            actions: ["adoptSource", "updateFilter", "tellContainersWhoTheyAre"],
          },
        ],
      },
    },
    confirmed: {
      description: "The pod source knows it: namespace, name and labels are the source's.",
      on: {
        "container.announced": onceIdentified,
        "source.found": [
          {
            guard: "sourceSaysOtherNamespace",
            actions: { type: "reportConflict", params: conflictOfSource },
          },
          { actions: ["adoptSource", "updateFilter", "tellContainersWhoTheyAre"] },
        ],
        "source.deleted": "leaving",
      },
    },
    leaving: {
      description: "Deleted in the pod source; its containers are being taken out of the policies.",
      entry: "tellContainersThePodIsGone",
      always: { guard: "isEmpty", target: "gone" },
      on: {
        "container.announced": {
          actions: { type: "refuseAnnouncement", params: { failure: podIsLeaving } },
        },
      },
    },
    gone: {
      description: "Deleted, or nothing of it is left and the pod source never knew it.",
      type: "final",
      entry: "reportPodGone",
    },
  },
});

export type PodLogic = TableLogic<typeof podMachine>;

/** The fields the hook carries fill what nobody has said yet. */
function withAnnounced(identity: PodIdentity, announcement: Announcement): PodIdentity {
  if (identity.namespace !== "" && identity.name !== "") return identity;
  return {
    ...identity,
    namespace: identity.namespace || announcement.podNamespace,
    name: identity.name || announcement.podName,
  };
}

/** An empty text says nothing, so it contradicts nothing. */
/** The same object when the announcement says nothing new. */
function withLabels(identity: PodIdentity, { podLabels }: Announcement): PodIdentity {
  if (podLabels === undefined) return identity;
  if (identity.knownBy === "nri" && haveSameLabels(identity.labels, podLabels)) return identity;
  return { ...identity, labels: podLabels, knownBy: "nri" };
}

function differ(known: string, told: string): boolean {
  return known !== "" && told !== "" && known !== told;
}
