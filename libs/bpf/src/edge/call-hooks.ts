// SPDX-License-Identifier: Apache-2.0
// Which hook is about which system call: the map of bpf/calls.h. Each list of arguments has a row and a program.

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

/** Errors are one line. */
export interface CallHooks {
  /** The row of the hook's list: that of others with the same one, or one that no hook has. */
  findRow(hook: CallHook): Result<number, string>;
  put(hook: CallHook, row: number): Result<void, string>;
  /** The row, if it was the last hook there. */
  remove(id: number): Result<number | undefined, string>;
  ids(): Iterable<number>;
}

const CALLS = 1024;
const CALL_ROWS = 32;

/** `known`: all hooks that may be in the map. */
export function openCallHooks(
  map: Pick<BpfMap, "lookup" | "update">,
  known: Iterable<CallHook>,
): Result<CallHooks, string> {
  const rows = new Map<number, readonly [hook: CallHook, row: number]>();
  for (const hook of known) {
    for (let row = 0; row < CALL_ROWS; row++) {
      const [first] = hook.places;
      const found = first === undefined ? ok(undefined) : map.lookup(toKey(row, first));
      if (!found.ok) return err(renderBpfError(found.error));
      if (found.value !== undefined && first !== undefined && readId(found.value, first) === hook.id)
        rows.set(hook.id, [hook, row]);
    }
  }

  const write = (row: number, place: CallPlace, id: number): Result<void, BpfError> => {
    const key = toKey(row, place);
    const before = map.lookup(key);
    if (!before.ok) return before;
    const value = before.value ?? new Uint8Array(8);
    const view = new DataView(value.buffer);
    view.setUint16(toOffset(place), id, true);
    view.setUint16(toOffset(place) + 2, id === 0 ? 0 : place.layout, true);
    return map.update(key, value);
  };
  const writeAll = (row: number, places: readonly CallPlace[], id: number): Result<void, string> => {
    const done = inTurn(...places.map((place) => () => write(row, place, id)));
    return done.ok ? done : err(renderBpfError(done.error));
  };

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
      return writeAll(row, hook.places, hook.id);
    },
    remove(id) {
      const found = rows.get(id);
      if (found === undefined) return ok(undefined);
      const [{ places }, row] = found;
      const done = writeAll(row, places.toReversed(), 0);
      if (!done.ok) return done;
      rows.delete(id);
      return ok([...rows.values()].some(([, other]) => other === row) ? undefined : row);
    },
    ids: () => rows.keys(),
  });
}

const toKey = (row: number, { place }: CallPlace): Uint8Array => encodeNumber(row * CALLS + place);

/** Of struct call_hook in union called_hooks. */
const toOffset = ({ is32Bit }: CallPlace): number => (is32Bit ? 4 : 0);

const readId = (value: Uint8Array, place: CallPlace): number =>
  new DataView(value.buffer, value.byteOffset).getUint16(toOffset(place), true);
