// SPDX-License-Identifier: Apache-2.0
// The pods and containers of a synchronization, in one SynchronizeRequest or in many, read while they arrive. One pod or
// container at a time is kept as bytes, and then only what this project reads of it.
//
// No size ends a synchronization: a plugin that is not synchronized gets no events, and the authors of pods decide how
// large the whole becomes. What is beyond a bound is omitted and counted.

import { Container, PodSandbox } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import { createFieldReader, type FieldReader } from "./field-reader.ts";

export interface NriInventory {
  readonly pods: readonly PodSandbox[];
  readonly containers: readonly Container[];
  /** Encoded size in bytes, by the id of the pod or container. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Pods and containers beyond the bounds, or not readable. */
  readonly omitted: number;
}

export interface InventoryReader {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
  /** The request is over; gives whether another one follows. The error is for people. */
  endPart(): Result<{ readonly more: boolean }, string>;
  /** Everything so far; the reader starts again. */
  take(): NriInventory;
}

const MAX_INVENTORY = 100_000;
/** Of all parts together: more than the pods of a node can be made to weigh, 110 of 1.5 MiB each. */
const MAX_INVENTORY_BYTES = 256 << 20;
/** Of one pod or container: containerd takes no CRI request of more than 16 MiB (defaults.DefaultMaxRecvMsgSize). */
const MAX_OBJECT_BYTES = 16 << 20;

// Fields of SynchronizeRequest.
const PODS = 1;
const CONTAINERS = 2;
const MORE = 3;

export function createInventoryReader(): InventoryReader {
  let kept = emptyInventory();
  let bytesLeft = MAX_INVENTORY_BYTES;
  let more = false;
  let reader = openPart();

  function openPart(): FieldReader {
    more = false;
    return createFieldReader({
      begin(field, length) {
        if (field !== PODS && field !== CONTAINERS) return "skip";
        const count = kept.pods.length + kept.containers.length;
        if (length > Math.min(bytesLeft, MAX_OBJECT_BYTES) || count >= MAX_INVENTORY) {
          kept.omitted++;
          return "skip";
        }
        bytesLeft -= length;
        return "whole";
      },
      whole(field, bytes) {
        const isKept =
          field === PODS ? keep(kept.pods, PodSandbox, bytes) : keep(kept.containers, Container, bytes);
        if (!isKept) kept.omitted++;
      },
      varint(field, value) {
        if (field === MORE) more = value !== 0;
      },
    });
  }

  const keep = <T extends { readonly id: string }>(
    list: T[],
    type: { decode(bytes: Uint8Array): T },
    bytes: Uint8Array,
  ): boolean => {
    try {
      const value = type.decode(bytes);
      if (value.id === "") return false;
      list.push(value);
      kept.sizes.set(value.id, bytes.length);
      return true;
    } catch {
      return false;
    }
  };

  return {
    receive: (bytes) => reader.receive(bytes),
    endPart() {
      const ended = { reader, more };
      reader = openPart();
      return ended.reader.isComplete()
        ? ok({ more: ended.more })
        : err("the SynchronizeRequest is not a whole protobuf message");
    },
    take() {
      const whole = kept;
      kept = emptyInventory();
      bytesLeft = MAX_INVENTORY_BYTES;
      return whole;
    },
  };
}

const emptyInventory = () => ({
  // The casts name what the lists will hold.
  pods: [] as PodSandbox[],
  containers: [] as Container[],
  sizes: new Map<string, number>(),
  omitted: 0,
});
