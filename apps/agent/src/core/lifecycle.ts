// SPDX-License-Identifier: Apache-2.0
// The pods and containers of the node: one pod lifecycle actor per pod, found by key, and the callers that
// wait for a container. All effects of the machines are supplied in lifecycle-effects.ts.
//
// Callers of one container share the work: they are put on one list before the machine hears of the call, and
// the machine's release or refusal answers the whole list.

import type { Cgroup, PodLogic } from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type Actor, type ActorLogic, type AnyEventObject, createActor, type Snapshot } from "xstate";
import type { HookCall } from "./announcement.ts";
import type { CgroupResolver } from "./cgroup-resolver.ts";
import { type ContainerRecord, toContainerRecord } from "./container-record.ts";
import { type Dependencies, providePodEffects } from "./lifecycle-effects.ts";
import type { PodChange } from "./pod-source.ts";
import type { Refusal } from "./refusal.ts";

type PodActor = Actor<PodLogic>;
type NodeLogic = ActorLogic<Snapshot<undefined>, AnyEventObject>;

/** Undefined: the container may start. */
export type OnAnswer = (refusal: Refusal | undefined) => void;

export interface Lifecycle {
  /** Answers exactly once, before it returns where nothing has to be waited for. */
  announce(call: HookCall, onAnswer: OnAnswer): void;
  list(): readonly ContainerRecord[];
  /** It has been let go, or is about to be. */
  knows(containerId: string): boolean;
  /** The containers that a sweep has to look at, as they are now. */
  containerIds(): readonly string[];
  /** Ends the container if its cgroup is no more. */
  checkAlive(containerId: string): void;
  /** The runtime says that these have ended. Those that are not known are passed over. */
  reportStopped(containerIds: Iterable<string>): void;
  close(): void;
}

/** Failed containers are kept for `tetragon status`; hostile calls must not fill the memory with them. */
const maxFailures = 1000;
/** A container that makes one cgroup after the other must not hold up all others; the watch tells of the rest. */
const maxLooks = 8;

export function createLifecycle(dependencies: Dependencies): Lifecycle {
  const pods = new Map<string, PodActor>();
  const podKeyOf = new Map<string, string>();
  const waiters = new Map<string, OnAnswer[]>();
  const failures = new Set<string>();
  /** Known, said to have ended, and yet not empty when last looked at. */
  const stopping = new Set<string>();
  const { podSource, policyFilter, cgroupResolver, nestedWatch, log } = dependencies;

  const answer = (containerId: string, refusal: Refusal | undefined): number => {
    const waiting = waiters.get(containerId);
    if (waiting === undefined) return 0;
    waiters.delete(containerId);
    for (const onAnswer of waiting) onAnswer(refusal);
    return waiting.length;
  };

  const findContainer = (containerId: string) =>
    pods
      .get(podKeyOf.get(containerId) ?? "")
      ?.getSnapshot()
      .context.containers.get(containerId);

  const noteFailure = (containerId: string): void => {
    failures.delete(containerId);
    failures.add(containerId);
    for (const oldest of failures) {
      if (failures.size <= maxFailures) break;
      failures.delete(oldest);
      findContainer(oldest)?.send({ type: "failure.discarded" });
    }
  };

  /** A bug in a machine ended the actor: nobody may wait for it, and nothing of it may stay in force. */
  const endBrokenPod = (key: string, error: unknown): void => {
    const message = describeError(error);
    log.error("pod lifecycle ended by an error", { pod: key, err: message });
    pods.delete(key);
    for (const [containerId, podKey] of podKeyOf) {
      if (podKey !== key) continue;
      podKeyOf.delete(containerId);
      failures.delete(containerId);
      stopping.delete(containerId);
      policyFilter.remove(containerId);
      nestedWatch.end(containerId);
      answer(containerId, { kind: "internal", message });
    }
  };

  const machine = providePodEffects(dependencies, {
    answer,
    noteFailure,
    forgetFailure: (containerId) => void failures.delete(containerId),
    forgetContainer: (containerId) => {
      failures.delete(containerId);
      stopping.delete(containerId);
      podKeyOf.delete(containerId);
    },
    forgetPod: (key) => void pods.delete(key),
    lookBelow(containerId) {
      const cgroup = findContainer(containerId)?.getSnapshot().context.cgroup;
      if (cgroup !== undefined) look(containerId, cgroup);
    },
  });

  const node = createActor(createNodeLogic(pods, endBrokenPod), { ...dependencies.actorOptions, id: "node" });
  node.start();

  const openPod = (key: string, call: HookCall): PodActor => {
    const known = pods.get(key);
    if (known !== undefined) return known;
    const { podNamespace: namespace, podName: name } = call.announcement;
    const input = { uid: call.podUid, namespace, name };
    const actor = createActor(machine, { id: key, parent: node, input });
    pods.set(key, actor);
    actor.start();
    return actor;
  };

  /** What is made before a watch is there nobody tells of: hence another look after each that is new. */
  const look = (containerId: string, cgroup: Cgroup): ReturnType<CgroupResolver["inspect"]> => {
    const inspected = cgroupResolver.inspect(cgroup);
    let now = inspected;
    for (let looks = 0; typeof now !== "string" && looks < maxLooks; looks++) {
      const { nested } = now;
      const nestedIds = nested.map(({ id }) => id);
      policyFilter.setNested(containerId, nestedIds);
      if (!nestedWatch.set(containerId, [cgroup, ...nested])) break;
      now = cgroupResolver.inspect(cgroup);
    }
    return inspected;
  };

  const checkAlive = (containerId: string): void => {
    const container = findContainer(containerId);
    const snapshot = container?.getSnapshot();
    const cgroup = snapshot?.context.cgroup;
    if (cgroup === undefined || snapshot?.value !== "released") return;
    if (look(containerId, cgroup) === "gone") container?.send({ type: "cgroup.vanished" });
    else if (stopping.has(containerId) && cgroupResolver.isEmpty(cgroup)) {
      container?.send({ type: "container.stopped" });
    }
  };

  /**
   * Who may call may also lie, and a report may be late: a container with processes stays under its policies. It ends
   * when a sweep finds it empty, unless it was announced again in the meantime.
   */
  const reportStopped = (containerIds: Iterable<string>): void => {
    for (const containerId of new Set(containerIds)) {
      const container = findContainer(containerId);
      const cgroup = container?.getSnapshot().context.cgroup;
      if (cgroup === undefined || cgroupResolver.isEmpty(cgroup)) {
        container?.send({ type: "container.stopped" });
      } else if (!stopping.has(containerId)) {
        stopping.add(containerId);
        log.info("container said to have ended has processes yet", { containerID: containerId });
      }
    }
  };

  /** The pod that the call is for, which for a container on record is the pod of the record. */
  const findPodKey = (call: HookCall): Result<string, Refusal> => {
    const { containerId } = call.announcement;
    const key = toPodKey(call);
    const knownKey = podKeyOf.get(containerId);
    if (knownKey === undefined || knownKey === key) return ok(key);
    const knownUid = pods.get(knownKey)?.getSnapshot().context.identity.uid;
    // An earlier call, or the pod source, said more about the same pod.
    if (call.podUid === undefined || call.podUid === knownUid) return ok(knownKey);
    const container = findContainer(containerId);
    if (knownUid === undefined) container?.send({ type: "container.replaced" });
    // What is over, or never began, is in nobody's way.
    container?.send({ type: "failure.discarded" });
    checkAlive(containerId);
    if (!podKeyOf.has(containerId)) return ok(key);
    const message = `container ${containerId} is on record in pod ${knownUid}, not in ${call.podUid}`;
    return err({ kind: "pod-conflict", message });
  };

  const announce = (call: HookCall, onAnswer: OnAnswer): void => {
    const { containerId, cgroupsPath } = call.announcement;
    const podKey = findPodKey(call);
    if (!podKey.ok) {
      const { kind, message } = podKey.error;
      log.warn("hook call refused", { containerID: containerId, reason: kind, err: message });
      onAnswer(podKey.error);
      return;
    }
    const key = podKey.value;
    // Looked up here, a repeated call costs its container one event and nothing else.
    const found = podKeyOf.has(containerId) ? cgroupResolver.resolve(cgroupsPath) : undefined;
    const cgroup = found?.ok === true ? found.value : undefined;
    const waiting = waiters.get(containerId);
    if (waiting === undefined) waiters.set(containerId, [onAnswer]);
    else waiting.push(onAnswer);
    podKeyOf.set(containerId, key);
    stopping.delete(containerId);
    const pod = openPod(key, call);
    pod.send({ type: "container.announced", announcement: { ...call.announcement, cgroup } });
  };

  const onSourceChange = ({ kind, pod }: PodChange): void => {
    if (kind === "containers") return;
    const keys = [pod.uid, pod.staticPodHash, `${pod.namespace}/${pod.name}`];
    for (const key of keys) {
      const actor = key === undefined ? undefined : pods.get(key);
      if (actor === undefined) continue;
      const { identity } = actor.getSnapshot().context;
      // A static pod's hash is only a claim until the name agrees.
      if (key === pod.staticPodHash && identity.name !== pod.name) continue;
      // Without its mirror in the API a static pod runs on: its end is that of its cgroups.
      if (kind === "deleted" && key === pod.staticPodHash) continue;
      if (kind === "deleted") actor.send({ type: "source.deleted" });
      else
        actor.send({
          type: "source.found",
          pod: { uid: pod.uid, namespace: pod.namespace, name: pod.name, labels: pod.labels },
        });
    }
  };
  const unsubscribe = podSource.subscribe(onSourceChange);

  return {
    announce,
    knows(containerId) {
      const state = findContainer(containerId)?.getSnapshot().value;
      return state !== undefined && state !== "failed" && state !== "gone";
    },
    list: () =>
      [...pods.values()].flatMap((pod) =>
        [...pod.getSnapshot().context.containers.values()].map((container) =>
          toContainerRecord(container.getSnapshot()),
        ),
      ),
    containerIds: () => [...podKeyOf.keys()],
    checkAlive,
    reportStopped,
    close: () => {
      unsubscribe();
      node.stop();
      pods.clear();
    },
  };
}

/** The parent of all pods: they share what an actor's system costs, and an inspector sees one tree. */
function createNodeLogic(
  pods: ReadonlyMap<string, PodActor>,
  onBroken: (key: string, error: unknown) => void,
): NodeLogic {
  const active = { status: "active", output: undefined, error: undefined } as const; // const: the status
  return {
    getInitialSnapshot: () => active,
    transition(snapshot, event, scope) {
      if (event.type === "xstate.stop") {
        for (const pod of pods.values()) scope.stopChild(pod);
        return { ...active, status: "stopped" };
      }
      if (event.type.startsWith("xstate.error.actor.")) onBroken(String(event["actorId"]), event["error"]);
      return snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

/** A UID where there is one; a container without any pod is a pod of its own. */
function toPodKey({ podUid, announcement }: HookCall): string {
  if (podUid !== undefined) return podUid;
  const { podNamespace, podName, containerId } = announcement;
  return podNamespace !== "" && podName !== "" ? `${podNamespace}/${podName}` : `container:${containerId}`;
}
