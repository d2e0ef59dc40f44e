// SPDX-License-Identifier: Apache-2.0
// The changes of the containers on record, for those who watch them. Without a subscriber nothing is observed or kept.
//
// The machines make several steps for one report. What is reported is the state before the turn of the event loop and the
// state after it.

import type { Inspect } from "@rthooks/machines/inspection";
import { describeInspection } from "@rthooks/machines/inspection";
import type { ContainerRecord } from "./container-record.ts";

export interface ContainerChange {
  readonly container: ContainerRecord;
  /** Empty for a container that was not on record. */
  readonly from: string;
  /** The record's state, or "gone": no longer on record. */
  readonly to: string;
  /** The last event of the container's machine, or the kind of a refusal. */
  readonly event: string;
  readonly atNanos: bigint;
}

export interface ContainerChanges {
  /** Returns the containers on record now; `onChange` gets each later change, and must not throw. */
  subscribe(onChange: (change: ContainerChange) => void): {
    readonly recorded: readonly ContainerRecord[];
    unsubscribe(): void;
  };
  /** The container may have changed outside of its machine. */
  touch(containerId: string, event: string): void;
  /** A call for this container was refused. Reported if the container is not on record. */
  refuse(toRecord: () => ContainerRecord, event: string): void;
}

export interface ContainerChangesOptions {
  list(): readonly ContainerRecord[];
  find(containerId: string): ContainerRecord | undefined;
  /** Observes the machines of all containers. Returns the function that ends it. */
  observe(inspect: Inspect): () => void;
  nowNanos(): bigint;
}

/** Actor ids of containers begin with it. */
const idPrefix = "container:";

interface Touch {
  readonly event: string;
  readonly refused: ContainerRecord | undefined;
}

export function createContainerChanges(options: ContainerChangesOptions): ContainerChanges {
  const { list, find, observe, nowNanos } = options;
  const subscribers = new Set<(change: ContainerChange) => void>();
  /** As it was reported last, by container id. */
  const known = new Map<string, ContainerRecord>();
  const touched = new Map<string, Touch>();
  let stopObserving = (): void => {};

  const flush = (): void => {
    const now = [...touched];
    touched.clear();
    for (const [containerId, { event, refused }] of now) {
      const before = known.get(containerId);
      const record = find(containerId) ?? refused;
      const container = record ?? before;
      if (container === undefined) continue;
      const to = record?.state ?? "gone";
      if (record === undefined || record === refused) known.delete(containerId);
      else known.set(containerId, record);
      if (before !== undefined && before.state === to && before.error === container.error) continue;
      const change = { container, from: before?.state ?? "", to, event, atNanos: nowNanos() };
      for (const onChange of subscribers) onChange(change);
    }
  };

  const note = (containerId: string, touch: Touch): void => {
    if (subscribers.size === 0) return;
    // When all code that is running has ended.
    if (touched.size === 0) void Promise.resolve().then(flush);
    touched.set(containerId, touch);
  };

  const touch = (containerId: string, event: string): void =>
    note(containerId, { event, refused: undefined });

  const onInspection: Inspect = (inspected) => {
    if (inspected.type !== "@xstate.snapshot") return;
    const { actor, machine, what } = describeInspection(inspected);
    // The end of an actor follows the event that led to it.
    if (machine === "container" && what !== "xstate.stop") touch(actor.slice(idPrefix.length), what);
  };

  return {
    subscribe(onChange) {
      const recorded = list();
      if (subscribers.size === 0) {
        for (const record of recorded) known.set(record.id, record);
        stopObserving = observe(onInspection);
      }
      subscribers.add(onChange);
      return {
        recorded,
        unsubscribe() {
          if (!subscribers.delete(onChange) || subscribers.size > 0) return;
          stopObserving();
          known.clear();
          touched.clear();
        },
      };
    },
    touch,
    refuse(toRecord, event) {
      if (subscribers.size === 0) return;
      const refused = toRecord();
      note(refused.id, { event, refused });
    },
  };
}
