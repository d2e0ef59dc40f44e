// SPDX-License-Identifier: Apache-2.0
// Reads BTF, the types of the kernel or of an object: the kernel's Documentation/bpf/btf.rst.

import { err, ok, type Result } from "@rthooks/result";
import { type Bytes, openBytes } from "./bytes.ts";

/** BTF_KIND_… of include/uapi/linux/btf.h, as far as they are used here. */
export const btfKind = {
  ...{ int: 1, pointer: 2, array: 3, struct: 4, union: 5, typedef: 8, volatile: 9, const: 10, restrict: 11 },
  ...{ enum: 6, func: 12, prototype: 13, var: 14, section: 15, typeTag: 18 },
} as const; // const: the numbers are a union

interface BtfType {
  readonly id: number;
  readonly kind: number;
  /** Empty for an anonymous type. */
  readonly name: string;
  /** Bytes, of a type that has a size of its own. */
  readonly size: number;
  /** The id of the type that this one is about: a pointer's target, a variable's type. */
  readonly type: number;
}

/** A member of a structure or union. */
interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Bytes; undefined for a bit field that does not start at a byte. */
  readonly offset: number | undefined;
}

export interface Btf {
  /** Undefined for void and for an id that does not exist. */
  get(id: number): BtfType | undefined;
  /** The first type of this kind and name. */
  find(kind: number, name: string): BtfType | undefined;
  /** Of a structure or union, in their order; empty for other types. */
  members(id: number): readonly BtfMember[];
  /** The variables of a section; empty for other types. */
  variables(id: number): readonly BtfType[];
  /** The types of a function's parameters; undefined for an id that is not of a function. */
  parameters(id: number): readonly number[] | undefined;
  /** The names and values of an enumeration; empty for other types. */
  enumerators(id: number): ReadonlyMap<string, number>;
  /** Of an array type. */
  elements(id: number): { readonly type: number; readonly count: number } | undefined;
}

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;
const MEMBER_BYTES = 12;
/** Of a parameter, and of a value of an enumeration. */
const PAIR_BYTES = 8;
const MAX_TYPES = 1 << 20;

/** Bytes behind each type, by kind: fixed, and for each of its members. Kinds that are not listed end the parse. */
const extraBytes: readonly (readonly [fixed: number, each: number] | undefined)[] = [
  ...[undefined, [4, 0], [0, 0], [12, 0], [0, 12], [0, 12], [0, 8], [0, 0], [0, 0], [0, 0]],
  ...[
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 8],
    [4, 0],
    [0, 12],
    [0, 0],
    [4, 0],
    [0, 0],
    [0, 12],
  ],
] as const;

/** The error says what is wrong with the bytes. A name and a member are read when they are asked for. */
export function parseBtf(bytes: Uint8Array): Result<Btf, string> {
  const all = openBytes(bytes);
  if (all.u16(0) !== MAGIC) return err("not BTF of this processor's byte order");
  const headerBytes = all.u32(4);
  const types = all.part(headerBytes + all.u32(8), all.u32(12));
  const texts = all.part(headerBytes + all.u32(16), all.u32(20));
  if (headerBytes < HEADER_BYTES || types === undefined || texts === undefined)
    return err("the types or the names are outside of the BTF");
  const starts = findStarts(types);
  return starts.ok ? ok(toBtf(types, texts, starts.value)) : starts;
}

/** The offset of each type by its id; the first has id 1. */
function findStarts(types: Bytes): Result<Uint32Array, string> {
  const view = new DataView(types.bytes.buffer, types.bytes.byteOffset, types.length);
  const starts = new Uint32Array(Math.min(MAX_TYPES, Math.floor(types.length / TYPE_BYTES)) + 1);
  let id = 1;
  for (let at = 0; at + TYPE_BYTES <= types.length; id++) {
    if (id >= starts.length) return err(`BTF of more than ${MAX_TYPES} types`);
    starts[id] = at;
    const info = view.getUint32(at + 4, true);
    const extra = extraBytes[toKind(info)];
    if (extra === undefined) return err(`BTF type ${id} is of the unknown kind ${toKind(info)}`);
    at += TYPE_BYTES + extra[0] + toCount(info) * extra[1];
    if (at > types.length) return err(`BTF type ${id} ends outside of the types`);
  }
  return ok(starts.subarray(0, id));
}

const toKind = (info: number): number => (info >>> 24) & 0x1f;
const toCount = (info: number): number => info & 0xffff;

function toBtf(types: Bytes, texts: Bytes, starts: Uint32Array): Btf {
  const startOf = (id: number): number | undefined => (id === 0 ? undefined : starts[id]);

  const get: Btf["get"] = (id) => {
    const at = startOf(id);
    if (at === undefined) return undefined;
    const sizeOrType = types.u32(at + 8);
    return {
      ...{ id, kind: toKind(types.u32(at + 4)), name: texts.text(types.u32(at)) },
      ...{ size: sizeOrType, type: sizeOrType },
    };
  };

  /** The offset and number of a type's members, if it is of one of these kinds. */
  const open = (id: number, ...kinds: readonly number[]) => {
    const at = startOf(id);
    const info = at === undefined ? 0 : types.u32(at + 4);
    if (at === undefined || !kinds.includes(toKind(info))) return { at: 0, count: 0, hasBitSizes: false };
    return { at: at + TYPE_BYTES, count: toCount(info), hasBitSizes: info >>> 31 === 1 };
  };

  return {
    get,
    find(kind, name) {
      const wanted = new TextEncoder().encode(`${name}\0`);
      for (let id = 1; id < starts.length; id++) {
        const at = starts[id] ?? 0;
        if (toKind(types.u32(at + 4)) === kind && hasTextAt(texts, types.u32(at), wanted)) return get(id);
      }
      return undefined;
    },
    members(id) {
      const { at, count, hasBitSizes } = open(id, btfKind.struct, btfKind.union);
      return Array.from({ length: count }, (_, number) => {
        const member = at + number * MEMBER_BYTES;
        // With the kind flag the upper 8 bits are the size of a bit field.
        const bits = hasBitSizes ? types.u32(member + 8) & 0xffffff : types.u32(member + 8);
        return {
          ...{ name: texts.text(types.u32(member)), type: types.u32(member + 4) },
          offset: bits % 8 === 0 ? bits / 8 : undefined,
        };
      });
    },
    variables(id) {
      const { at, count } = open(id, btfKind.section);
      return Array.from({ length: count }, (_, number) => {
        return get(types.u32(at + number * MEMBER_BYTES));
      }).filter((variable) => variable !== undefined);
    },
    parameters(id) {
      const prototype = get(id)?.kind === btfKind.func ? (get(id)?.type ?? 0) : 0;
      if (get(prototype)?.kind !== btfKind.prototype) return undefined;
      const { at, count } = open(prototype, btfKind.prototype);
      return Array.from({ length: count }, (_, number) => types.u32(at + number * PAIR_BYTES + 4));
    },
    enumerators(id) {
      const { at, count } = open(id, btfKind.enum);
      const pairs = Array.from({ length: count }, (_, number): [string, number] => {
        const pair = at + number * PAIR_BYTES;
        return [texts.text(types.u32(pair)), types.u32(pair + 4)];
      });
      return new Map(pairs);
    },
    elements(id) {
      const at = startOf(id);
      if (at === undefined || toKind(types.u32(at + 4)) !== btfKind.array) return undefined;
      return { type: types.u32(at + 12), count: types.u32(at + 20) };
    },
  };
}

function hasTextAt({ bytes }: Bytes, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}
