// SPDX-License-Identifier: Apache-2.0
// Operations on one map by its file descriptor.

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import { updateFlag } from "../core/commands.ts";
import type { MapInfo } from "../core/map-spec.ts";
import type { BpfCalls } from "./bpf-call.ts";
import { pinObject } from "./bpf-programs.ts";
import { toValueBytes } from "./value-bytes.ts";

/** Keys and values must have the map's sizes; another length is a bug and throws. */
export interface BpfMap {
  readonly info: MapInfo;
  /** Of a value in calls: a map per processor has one after the other, each padded to 8 bytes. */
  readonly valueBytes: number;
  /** File descriptor, to insert this map into a map of maps. */
  readonly fd: number;
  lookup(key: Uint8Array): Result<Uint8Array | undefined, BpfError>;
  update(key: Uint8Array, value: Uint8Array, flag?: keyof typeof updateFlag): Result<void, BpfError>;
  /** False if the key did not exist. */
  delete(key: Uint8Array): Result<boolean, BpfError>;
  /** All keys, concatenated, in any order; concurrent changes may or may not be included. */
  keys(): Result<Uint8Array, BpfError>;
  /** Sets many keys to one value, in one call where the kernel supports it. After an error some keys may be set. */
  updateMany(keys: Uint8Array, value: Uint8Array): Result<void, BpfError>;
  /** Sets many keys in one call, with one value per key, concatenated. It stops at the first error. */
  updateBatch(keys: Uint8Array, values: Uint8Array): BatchOutcome;
  /** Deletes many keys; keys that do not exist are ignored. */
  deleteMany(keys: Uint8Array): Result<void, BpfError>;
  /** Pins the map in a bpf file system: it exists as long as the pin. */
  pin(path: string): Result<void, BpfError>;
  /** Closes the descriptor. A map that is pinned or inside another map continues to exist. */
  close(): void;
}

interface BatchOutcome {
  /** Number of entries that were set, from the first on. */
  readonly done: number;
  /** The error of the next entry; undefined if all were set. */
  readonly error: BpfError | undefined;
}

const ELEMENT_BYTES = 32;
const BATCH_BYTES = 56;

export function openBpfMap(calls: BpfCalls, fd: number, info: MapInfo): BpfMap {
  const { keySize, name } = info;
  const valueSize = toValueBytes(info);
  // Allocated once per map, so that calls allocate nothing and the addresses passed to the kernel stay valid.
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(valueSize);
  const attr = new Uint8Array(ELEMENT_BYTES);
  const view = new DataView(attr.buffer);
  view.setUint32(0, fd, true);
  view.setBigUint64(8, calls.pointerTo(key), true);

  const take = (to: Uint8Array, from: Uint8Array): void => {
    if (from.length !== to.length) throw new RangeError(`${name}: ${from.length} bytes, not ${to.length}`);
    to.set(from);
  };
  const pointAt = (target: Uint8Array, flags: number): void => {
    view.setBigUint64(16, calls.pointerTo(target), true);
    view.setBigUint64(24, BigInt(flags), true);
  };

  const lookup: BpfMap["lookup"] = (wanted) => {
    take(key, wanted);
    pointAt(value, 0);
    const done = calls.bpf("MAP_LOOKUP_ELEM", name, attr);
    if (done.ok) return ok(value.slice());
    return done.error.code === "ENOENT" ? ok(undefined) : done;
  };

  const update: BpfMap["update"] = (changed, to, flag = "any") => {
    take(key, changed);
    take(value, to);
    pointAt(value, updateFlag[flag]);
    const done = calls.bpf("MAP_UPDATE_ELEM", name, attr);
    return done.ok ? ok(undefined) : done;
  };

  const remove: BpfMap["delete"] = (gone) => {
    take(key, gone);
    view.setBigUint64(16, 0n, true);
    view.setBigUint64(24, 0n, true);
    const done = calls.bpf("MAP_DELETE_ELEM", name, attr);
    if (done.ok) return ok(true);
    return done.error.code === "ENOENT" ? ok(false) : done;
  };

  const keys = (): Result<Uint8Array, BpfError> => {
    const next = new Uint8Array(keySize);
    const found: Uint8Array[] = [];
    // The first call has no previous key.
    view.setBigUint64(8, 0n, true);
    try {
      for (;;) {
        pointAt(next, 0);
        const done = calls.bpf("MAP_GET_NEXT_KEY", name, attr);
        if (!done.ok) return done.error.code === "ENOENT" ? ok(concatenate(found, keySize)) : done;
        found.push(next.slice());
        // A concurrent deletion restarts the iteration: this bounds it.
        if (found.length > info.maxEntries * 2) return ok(concatenate(found, keySize));
        key.set(next);
        view.setBigUint64(8, calls.pointerTo(key), true);
      }
    } finally {
      view.setBigUint64(8, calls.pointerTo(key), true);
    }
  };

  const batch = (
    command: "MAP_UPDATE_BATCH" | "MAP_DELETE_BATCH",
    some: Uint8Array,
    values: Uint8Array | undefined,
  ): BatchOutcome => {
    const attr = new Uint8Array(BATCH_BYTES);
    const view = new DataView(attr.buffer);
    view.setBigUint64(16, calls.pointerTo(some), true);
    view.setBigUint64(24, values === undefined ? 0n : calls.pointerTo(values), true);
    view.setUint32(32, some.length / keySize, true);
    view.setUint32(36, fd, true);
    const called = calls.bpf(command, name, attr);
    const count = some.length / keySize;
    if (called.ok) return { done: count, error: undefined };
    // The kernel writes back the number of processed entries, but nothing if it does not know the command.
    const written = view.getUint32(32, true);
    return { done: written === count ? 0 : written, error: called.error };
  };

  const each = <T>(
    some: Uint8Array,
    work: (one: Uint8Array) => Result<T, BpfError>,
  ): Result<void, BpfError> => {
    for (let at = 0; at < some.length; at += keySize) {
      const done = work(some.subarray(at, at + keySize));
      if (!done.ok) return done;
    }
    return ok(undefined);
  };

  return {
    info,
    valueBytes: valueSize,
    fd,
    lookup,
    update,
    delete: remove,
    keys,
    updateMany(some, one) {
      if (some.length === 0) return ok(undefined);
      const values = new Uint8Array((some.length / keySize) * valueSize);
      for (let at = 0; at < values.length; at += valueSize) values.set(one, at);
      // If the batch fails for any reason, single updates give the same or a more precise error.
      if (some.length > keySize && batch("MAP_UPDATE_BATCH", some, values).error === undefined)
        return ok(undefined);
      return each(some, (changed) => update(changed, one));
    },
    updateBatch(some, values) {
      if (some.length / keySize !== values.length / valueSize)
        throw new RangeError(`${name}: ${some.length} bytes of keys, ${values.length} of values`);
      return batch("MAP_UPDATE_BATCH", some, values);
    },
    deleteMany(some) {
      if (some.length > keySize && batch("MAP_DELETE_BATCH", some, undefined).error === undefined)
        return ok(undefined);
      return each(some, remove);
    },
    pin: (path) => pinObject(calls, fd, path),
    close: () => calls.close(fd),
  };
}

function concatenate(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(pieces.length * size);
  for (const [at, piece] of pieces.entries()) all.set(piece, at * size);
  return all;
}
