// SPDX-License-Identifier: Apache-2.0
// Reads the pods and containers of a synchronization, one SynchronizeRequest or several, while the bytes arrive. At most one
// pod or container is buffered as bytes; of the others only the decoded fields are kept.
//
// No size makes the synchronization fail, since authors of pods choose its size and an unsynchronized plugin gets no events.
// Pods and containers beyond a bound are omitted and counted.

import { Container, PodSandbox } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import { createFieldReader, type FieldReader } from "./field-reader.ts";
import type { NriContainer, NriPodSandbox } from "./nri-objects.ts";

export interface NriInventory {
  readonly pods: readonly NriPodSandbox[];
  readonly containers: readonly NriContainer[];
  /** Encoded size in bytes, by the id of the pod or container. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Number of pods and containers beyond the bounds, or that could not be decoded. */
  readonly omitted: number;
}

export interface InventoryReader {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
  /** Ends the request; `more` if another part follows. The error is one line. */
  endPart(): Result<{ readonly more: boolean }, string>;
  /** Returns the inventory and resets the reader. */
  take(): NriInventory;
}

const MAX_INVENTORY = 100_000;
/** All parts together: more than the largest pods of a node, 110 of 1.5 MiB each. */
const MAX_INVENTORY_BYTES = 256 << 20;
/** One pod or container: containerd rejects CRI requests of more than 16 MiB (defaults.DefaultMaxRecvMsgSize). */
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
          field === PODS
            ? keep(kept.pods, PodSandbox.decode, bytes)
            : keep(kept.containers, (given) => ({ ...Container.decode(given), hooks: undefined }), bytes);
        if (!isKept) kept.omitted++;
      },
      varint(field, value) {
        if (field === MORE) more = value !== 0;
      },
    });
  }

  const keep = <T extends { readonly id: string }>(
    list: T[],
    decode: (bytes: Uint8Array) => T,
    bytes: Uint8Array,
  ): boolean => {
    try {
      const value = decode(bytes);
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
  // The casts give the empty lists their element types.
  pods: [] as NriPodSandbox[],
  containers: [] as NriContainer[],
  sizes: new Map<string, number>(),
  omitted: 0,
});
