// SPDX-License-Identifier: Apache-2.0
// The pod actors of the node by their keys, and the pod in which each container is on record.

import type { Inspect } from "@rthooks/machines/inspection";
import { type ContainerRef, type ContainerReport, type PodLogic, toOrigin } from "@rthooks/machines/pod";
import {
  type Actor,
  type ActorLogic,
  type ActorOptions,
  type AnyEventObject,
  createActor,
  type Snapshot,
} from "xstate";

type PodActor = Actor<PodLogic>;

export interface PodActors {
  find(key: string): PodActor | undefined;
  list(): Iterable<PodActor>;
  /** A new pod, with the identity that the report gives. */
  start(key: string, logic: PodLogic, report: ContainerReport): PodActor;
  remove(key: string): void;

  findContainer(containerId: string): ContainerRef | undefined;
  /** The key of the pod in which the container is on record. */
  findKey(containerId: string): string | undefined;
  putContainer(containerId: string, key: string): void;
  removeContainer(containerId: string): void;
  containerIds(): Iterable<string>;
  /** Inspects all pods and containers until the returned function is called. */
  observe(inspect: Inspect): () => void;
  /** Ends all actors. */
  close(): void;
}

export interface PodActorsOptions {
  /** Inspects all pods and containers, and the actor `node` above them. */
  readonly inspect?: Inspect | undefined;
  /** Of the machines' delays. The default is the system's clock. */
  readonly clock?: ActorOptions<PodLogic>["clock"] | undefined;
  /** A bug in a machine ended the pod's actor; it is still found by its key. */
  onError(key: string, error: unknown): void;
}

export function createPodActors({ inspect, clock, onError }: PodActorsOptions): PodActors {
  const actors = new Map<string, PodActor>();
  const keyOf = new Map<string, string>();
  const node = createActor(createNodeLogic(actors, onError), {
    id: "node",
    ...(inspect === undefined ? {} : { inspect }),
    ...(clock === undefined ? {} : { clock }),
  });
  node.start();
  return {
    find: (key) => actors.get(key),
    list: () => actors.values(),
    start(key, logic, report) {
      const { podUid: uid, podNamespace: namespace, podName: name } = report;
      const input = { uid, namespace, name, origin: toOrigin(report) };
      const actor = createActor(logic, { id: key, parent: node, input });
      actors.set(key, actor);
      actor.start();
      return actor;
    },
    remove: (key) => void actors.delete(key),

    findContainer(containerId) {
      const actor = actors.get(keyOf.get(containerId) ?? "");
      return actor?.getSnapshot().context.containers.get(containerId);
    },
    findKey: (containerId) => keyOf.get(containerId),
    putContainer: (containerId, key) => void keyOf.set(containerId, key),
    removeContainer: (containerId) => void keyOf.delete(containerId),
    containerIds: () => keyOf.keys(),
    observe(observer) {
      const subscription = node.system.inspect(observer);
      return () => subscription.unsubscribe();
    },
    close() {
      node.stop();
      actors.clear();
    },
  };
}

/** The parent of all pods: they share one actor system, and an inspector sees one tree. */
function createNodeLogic(
  actors: ReadonlyMap<string, PodActor>,
  onError: PodActorsOptions["onError"],
): ActorLogic<Snapshot<undefined>, AnyEventObject> {
  const active = { status: "active", output: undefined, error: undefined } as const; // const: the status
  return {
    config: { id: "node" },
    getInitialSnapshot: () => active,
    transition(snapshot, event, scope) {
      if (event.type === "xstate.stop") {
        for (const actor of actors.values()) scope.stopChild(actor);
        return { ...active, status: "stopped" };
      }
      if (event.type.startsWith("xstate.error.actor.")) onError(String(event["actorId"]), event["error"]);
      return snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}
