// SPDX-License-Identifier: Apache-2.0
// Which hook is about which system call: the maps of bpf/calls.h. Each list of arguments has a row and a program.

import { err, ok, type Result } from "@rthooks/result";
import { type BpfError, renderBpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import type { CallPlace } from "../core/call-places.ts";
import { inTurn } from "../core/in-turn.ts";
import type { BpfMap } from "./bpf-map.ts";

/** A hook on a system call. */
export interface CallHook {
  readonly id: number;
  /** The first one is in the map as long as any of them is. */
  readonly places: readonly CallPlace[];
  /** Equal for hooks of which the same is read. */
  readonly list: string;
}

type Entries = Pick<BpfMap, "lookup" | "update">;

export interface CallMaps {
  /** `called_hooks`: by row and place, the hook. */
  readonly hooks: Entries;
  /** `call_rows`: by place, the rows with a hook. */
  readonly rows: Entries;
}

/** Errors are one line. */
export interface CallHooks {
  /** The row of the hook's list: that of others with the same one, or one that no hook has. */
  findRow(hook: CallHook): Result<number, string>;
  put(hook: CallHook, row: number): Result<void, string>;
  remove(id: number): Result<void, string>;
  ids(): Iterable<number>;
  /** Rows with a hook. */
  rows(): ReadonlySet<number>;
}

const CALLS = 1024;
const CALL_ROWS = 32;

/**
 * `known`: all hooks that may be in the maps. The rows of each call are written again: an agent may have ended in between,
 * and one of an earlier version has not written them.
 */
export function openCallHooks(maps: CallMaps, known: readonly CallHook[]): Result<CallHooks, string> {
  const rows = new Map<number, readonly [hook: CallHook, row: number]>();
  for (const hook of known) {
    for (let row = 0; row < CALL_ROWS; row++) {
      const [first] = hook.places;
      const found = first === undefined ? ok(undefined) : maps.hooks.lookup(toKey(row, first));
      if (!found.ok) return err(renderBpfError(found.error));
      if (found.value !== undefined && first !== undefined && readId(found.value, first) === hook.id)
        rows.set(hook.id, [hook, row]);
    }
  }

  const write = (row: number, place: CallPlace, id: number): Result<void, BpfError> => {
    const key = toKey(row, place);
    const before = maps.hooks.lookup(key);
    if (!before.ok) return before;
    const value = before.value ?? new Uint8Array(8);
    const view = new DataView(value.buffer);
    view.setUint16(toOffset(place), id, true);
    view.setUint16(toOffset(place) + 2, id === 0 ? 0 : place.layout, true);
    return maps.hooks.update(key, value);
  };
  const findRows = (place: CallPlace): number =>
    [...rows.values()]
      .filter(([hook]) => hook.places.some((one) => isSamePlace(one, place)))
      .reduce((bits, [, row]) => bits | (1 << row), 0);
  const writeRows = (place: CallPlace): Result<void, BpfError> => {
    const key = encodeNumber(place.place);
    const before = maps.rows.lookup(key);
    if (!before.ok) return before;
    const value = before.value ?? new Uint8Array(8);
    new DataView(value.buffer).setUint32(toOffset(place), findRows(place) >>> 0, true);
    return maps.rows.update(key, value);
  };
  const eachOf = (
    places: readonly CallPlace[],
    step: (place: CallPlace) => Result<void, BpfError>,
  ): Result<void, string> => {
    const done = inTurn(...places.map((place) => () => step(place)));
    return done.ok ? done : err(renderBpfError(done.error));
  };
  for (const { places } of known) {
    const done = eachOf(places, writeRows);
    if (!done.ok) return done;
  }

  return ok({
    findRow({ id, list }) {
      const taken = [...rows.values()];
      const own = rows.get(id)?.[1] ?? taken.find(([hook]) => hook.list === list)?.[1];
      if (own !== undefined) return ok(own);
      for (let row = 0; row < CALL_ROWS; row++) if (taken.every(([, other]) => other !== row)) return ok(row);
      return err(
        `policies read ${CALL_ROWS} different lists of arguments of system calls, which is the limit`,
      );
    },
    put(hook, row) {
      rows.set(hook.id, [hook, row]);
      const done = eachOf(hook.places, (place) => write(row, place, hook.id));
      return done.ok ? eachOf(hook.places, writeRows) : done;
    },
    remove(id) {
      const found = rows.get(id);
      if (found === undefined) return ok(undefined);
      const [{ places }, row] = found;
      rows.delete(id);
      const passed = eachOf(places, writeRows);
      const done = passed.ok ? eachOf(places.toReversed(), (place) => write(row, place, 0)) : passed;
      if (!done.ok) rows.set(id, found);
      return done;
    },
    ids: () => rows.keys(),
    rows: () => new Set([...rows.values()].map(([, row]) => row)),
  });
}

const isSamePlace = (one: CallPlace, other: CallPlace): boolean =>
  one.place === other.place && one.is32Bit === other.is32Bit;

const toKey = (row: number, { place }: CallPlace): Uint8Array => encodeNumber(row * CALLS + place);

/** Of struct call_hook in union called_hooks. */
const toOffset = ({ is32Bit }: CallPlace): number => (is32Bit ? 4 : 0);

const readId = (value: Uint8Array, place: CallPlace): number =>
  new DataView(value.buffer, value.byteOffset).getUint16(toOffset(place), true);
