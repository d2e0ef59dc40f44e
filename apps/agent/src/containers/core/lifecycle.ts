// SPDX-License-Identifier: Apache-2.0
// The pods and containers of the node: one pod lifecycle actor per pod, found by key, and the callers that
// wait for a container. All effects of the machines are supplied in lifecycle-effects.ts.
//
// Callers of one container share the work: they are put on one list before the machine hears of the call, and
// the machine's release or refusal answers the whole list.

import { type Cgroup, type ContainerReport, type PodLogic, runsAlready } from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type Actor, type ActorLogic, type AnyEventObject, createActor, type Snapshot } from "xstate";
import { createRecentIds } from "../../base/core/recent-ids.ts";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PodChange } from "../../pods/core/pod-source.ts";
import { type ContainerRecord, toContainerRecord } from "./container-record.ts";
import { chooseRoot, createContainerRoots } from "./container-roots.ts";
import { type Dependencies, providePodEffects } from "./lifecycle-effects.ts";
import { createNestedTracking } from "./nested-tracking.ts";
import { createPluginRefusals } from "./plugin-refusals.ts";
import { createPodKeys, findRelation, toNameKey, toPodKey } from "./pod-keys.ts";

type PodActor = Actor<PodLogic>;
type NodeLogic = ActorLogic<Snapshot<undefined>, AnyEventObject>;

/** Undefined: the container may start. */
export type OnAnswer = (refusal: Refusal | undefined) => void;

export interface Lifecycle {
  /** Answers exactly once, before it returns where nothing has to be waited for. */
  report(report: ContainerReport, onAnswer: OnAnswer): void;
  list(): readonly ContainerRecord[];
  find(containerId: string): ContainerRecord | undefined;
  /** It has been let go, or is about to be. */
  has(containerId: string): boolean;
  /** It was on record, and has ended: a list that has it as running is old. */
  hasEnded(containerId: string): boolean;
  /** The containers that a sweep has to look at, as they are now. */
  containerIds(): readonly string[];
  /** Ends the container if its cgroup is no more. */
  checkCgroup(containerId: string): void;
  /** The runtime says that these have ended. Those that are not known are passed over. */
  reportStopped(containerIds: Iterable<string>): void;
  /** The NRI plugin says that it refused the container, and why. */
  reportRefused(containerId: string, reason: string): void;
  close(): void;
}

/** Failed containers are kept for `tetragon status`; hostile calls must not fill the memory with them. */
const maxFailures = 1000;

export function createLifecycle(dependencies: Dependencies): Lifecycle {
  const pods = new Map<string, PodActor>();
  const podKeyOf = new Map<string, string>();
  const waiters = new Map<string, OnAnswer[]>();
  const failures = new Set<string>();
  /** Known, said to have ended, and yet not empty when last looked at. */
  const stopping = new Set<string>();
  /** Keys of pods of which a container was let go. */
  const started = new Set<string>();
  /** Listed as running, and not taken. */
  const out = createRecentIds();
  const ended = createRecentIds();
  const roots = createContainerRoots();
  /** Of pods whose actors were ended by a bug: their cgroups stay in the policies until they are gone. */
  const orphans = new Map<string, Cgroup>();
  const keys = createPodKeys();
  const refusals = createPluginRefusals();
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

  /** A bug in a machine ended the actor: its callers are answered, and what it has let go stays under its policies. */
  const endBrokenPod = (key: string, error: unknown): void => {
    const message = describeError(error);
    log.error("pod lifecycle ended by an error", { pod: key, err: message });
    const containers = pods.get(key)?.getSnapshot().context.containers;
    forgetPod(key);
    for (const [containerId, podKey] of podKeyOf) {
      if (podKey !== key) continue;
      podKeyOf.delete(containerId);
      failures.delete(containerId);
      stopping.delete(containerId);
      nestedWatch.end(containerId);
      nested.forget(containerId);
      const cgroup = containers?.get(containerId)?.getSnapshot().context.cgroup;
      if (cgroup === undefined) dropOrphan(containerId);
      else orphans.set(containerId, cgroup);
      answer(containerId, { kind: "internal", message });
    }
  };

  const dropOrphan = (containerId: string): void => {
    orphans.delete(containerId);
    policyFilter.remove(containerId);
    roots.remove(containerId);
  };

  const forgetPod = (key: string): boolean => {
    pods.delete(key);
    keys.forget(key);
    return started.delete(key);
  };

  const machine = providePodEffects(dependencies, {
    answer,
    noteFailure,
    forgetFailure: (containerId) => void failures.delete(containerId),
    forgetContainer: (containerId) => {
      if (findContainer(containerId)?.getSnapshot().context.cgroup !== undefined) ended.add(containerId);
      nested.forget(containerId);
      failures.delete(containerId);
      stopping.delete(containerId);
      podKeyOf.delete(containerId);
    },
    noteRoot(containerId, { path }) {
      orphans.delete(containerId);
      roots.put(containerId, path);
      out.delete(containerId);
      ended.delete(containerId);
      started.add(podKeyOf.get(containerId) ?? "");
    },
    noteOut: out.add,
    forgetRoot(containerId) {
      roots.remove(containerId);
      nested.forget(containerId);
    },
    forgetPod,
    lookBelow: (containerId) => nested.ask(containerId),
  });

  const node = createActor(createNodeLogic(pods, endBrokenPod), { ...dependencies.actorOptions, id: "node" });
  node.start();

  const openPod = (
    key: string,
    { podUid: uid, podNamespace: namespace, podName: name }: ContainerReport,
  ): PodActor => {
    const known = pods.get(key);
    if (known !== undefined) return known;
    const input = { uid, namespace, name };
    const actor = createActor(machine, { id: key, parent: node, input });
    pods.set(key, actor);
    actor.start();
    return actor;
  };

  const nested = createNestedTracking({
    ...dependencies,
    findRoot: (containerId) => findContainer(containerId)?.getSnapshot().context.cgroup,
  });

  const checkCgroup = (containerId: string): void => {
    const container = findContainer(containerId);
    const snapshot = container?.getSnapshot();
    const orphan = orphans.get(containerId);
    if (orphan !== undefined && cgroupResolver.inspect(orphan) === "gone") dropOrphan(containerId);
    const cgroup = snapshot?.context.cgroup;
    if (cgroup === undefined || snapshot?.value !== "released") return;
    const now = cgroupResolver.inspect(cgroup);
    if (now === "gone") container?.send({ type: "cgroup.vanished" });
    else if (stopping.has(containerId) && cgroupResolver.isEmpty(cgroup)) {
      container?.send({ type: "container.stopped" });
    } else if (now === "parent" || nested.has(containerId)) nested.ask(containerId);
  };

  /**
   * Who may call may also lie, and a report may be late: a container with processes stays under its policies. It ends
   * when a sweep finds it empty, unless it was reported again in the meantime.
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

  /** The pod that the report names; for a container on record, the pod of the record. */
  const findPodKey = (report: ContainerReport): Result<string, Refusal> => {
    const { podUid, containerId } = report;
    const key = toPodKey(report);
    const knownKey = podKeyOf.get(containerId);
    if (knownKey === undefined) return ok(findSuccessor(report) ?? key);
    if (knownKey === key) return ok(key);
    const knownUid = pods.get(knownKey)?.getSnapshot().context.identity.uid;
    // An earlier call, or the pod source, said more about the same pod.
    if (podUid === undefined || podUid === knownUid) return ok(knownKey);
    if (knownUid === undefined) {
      keys.addUid(knownKey, podUid);
      return ok(knownKey);
    }
    // A container that failed, or has ended, gives way.
    findContainer(containerId)?.send({ type: "failure.discarded" });
    checkCgroup(containerId);
    if (!podKeyOf.has(containerId)) return ok(key);
    const message = `container ${containerId} is on record in pod ${knownUid}, not in ${podUid}`;
    return err({ kind: "pod-conflict", message });
  };

  /** A call without a UID means the pod that has the name now, and not an older one whose containers still run. */
  const findSuccessor = ({
    podUid,
    podNamespace: namespace,
    podName: name,
  }: ContainerReport): string | undefined => {
    if (podUid !== undefined) return undefined;
    const knownUid = pods.get(toNameKey(namespace, name))?.getSnapshot().context.identity.uid;
    if (knownUid === undefined) return undefined;
    const uid = podSource.find({ uid: undefined, namespace, name })?.uid;
    return uid === knownUid ? undefined : uid;
  };

  /** No cgroup belongs to two containers. One that is in the way is looked at first: it may have ended. */
  const checkPlace = ({ containerId, cgroupsPath }: ContainerReport): Result<void, Refusal> => {
    const first = roots.findOverlap(containerId, cgroupsPath);
    if (first === undefined) return ok(undefined);
    checkCgroup(first.containerId);
    const overlap = roots.findOverlap(containerId, cgroupsPath);
    if (overlap === undefined) return ok(undefined);
    const place =
      overlap.path === cgroupsPath ? "is" : overlap.path.startsWith(`${cgroupsPath}/`) ? "holds" : "is in";
    const message = `cgroupsPath ${cgroupsPath} ${place} the cgroup of container ${overlap.containerId}, ${overlap.path}`;
    return err({ kind: "cgroup-conflict", message });
  };

  /** Undefined where the cgroup has to be looked at once more. */
  const findKnownRoot = (containerId: string, cgroupsPath: string): Cgroup | undefined => {
    const known = findContainer(containerId)?.getSnapshot().context.cgroup;
    if (known === undefined) return undefined;
    const found = cgroupResolver.resolve(cgroupsPath);
    return found.ok ? chooseRoot(known, found.value, () => false) : undefined;
  };

  const report = (reported: ContainerReport, onAnswer: OnAnswer): void => {
    const { containerId, cgroupsPath } = reported;
    const place = checkPlace(reported);
    const podKey = place.ok ? findPodKey(reported) : place;
    if (!podKey.ok) {
      const { kind, message } = podKey.error;
      if (!runsAlready(reported) || out.add(containerId))
        log.warn("hook call refused", { containerID: containerId, reason: kind, err: message });
      onAnswer(podKey.error);
      return;
    }
    const key = podKey.value;
    // Looked up here, a repeated call costs its container one event and nothing else.
    const cgroup = findKnownRoot(containerId, cgroupsPath);
    const waiting = waiters.get(containerId);
    if (waiting === undefined) waiters.set(containerId, [onAnswer]);
    else waiting.push(onAnswer);
    podKeyOf.set(containerId, key);
    stopping.delete(containerId);
    openPod(key, reported).send({ type: "container.reported", report: { ...reported, cgroup } });
  };

  const onSourceChange = ({ kind, pod }: PodChange): void => {
    if (kind === "containers") return;
    const { uid, namespace, name, labels } = pod;
    for (const key of keys.list(pod)) {
      const actor = pods.get(key);
      const relation = actor && findRelation(actor.getSnapshot().context.identity, pod);
      if (relation === undefined) continue;
      if (kind === "changed") actor?.send({ type: "source.found", pod: { uid, namespace, name, labels } });
      // Without its mirror in the API a static pod runs on, and may start containers.
      else if (kind === "deleted" && relation === "itself") actor?.send({ type: "source.deleted" });
      else actor?.send({ type: "source.unlisted" });
    }
  };
  const unsubscribe = podSource.subscribe(onSourceChange);

  return {
    report,
    has(containerId) {
      const state = findContainer(containerId)?.getSnapshot().value;
      return state !== undefined && state !== "failed" && state !== "gone";
    },
    list: () =>
      [...pods.values()].flatMap((pod) =>
        [...pod.getSnapshot().context.containers.values()].map((container) =>
          refusals.explain(toContainerRecord(container.getSnapshot())),
        ),
      ),
    hasEnded: ended.has,
    containerIds: () => [...podKeyOf.keys(), ...orphans.keys()],
    find(containerId) {
      const container = findContainer(containerId);
      return container && refusals.explain(toContainerRecord(container.getSnapshot()));
    },
    checkCgroup,
    reportStopped,
    reportRefused(containerId, reason) {
      refusals.note(containerId, reason);
      log.warn("container refused by the NRI plugin", { containerID: containerId, err: reason });
    },
    close: () => {
      unsubscribe();
      nested.close();
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
