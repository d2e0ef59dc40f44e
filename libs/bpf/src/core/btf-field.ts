// SPDX-License-Identifier: Apache-2.0

import { type Btf, btfKind } from "./btf.ts";

/** Of structures within structures without a name. */
const MAX_DEPTH = 8;
/** Of typedefs and qualifiers around one type. */
const MAX_WRAPPERS = 16;
const wrappers: readonly number[] = [
  ...[btfKind.typedef, btfKind.volatile, btfKind.const, btfKind.restrict, btfKind.typeTag],
];

/**
 * The offset in bytes of a field such as `["d_name", "len"]` in a structure, also within its anonymous structures and
 * unions; undefined if there is none.
 */
export function findFieldOffset(btf: Btf, structName: string, path: readonly string[]): number | undefined {
  let type = btf.find(btfKind.struct, structName)?.id;
  let offset = 0;
  for (const name of path) {
    const field = type === undefined ? undefined : findField(btf, type, name, 0);
    if (field === undefined) return undefined;
    offset += field.offset;
    type = skipWrappers(btf, field.type);
  }
  return type === undefined ? undefined : offset;
}

function findField(
  btf: Btf,
  struct: number,
  name: string,
  depth: number,
): { readonly offset: number; readonly type: number } | undefined {
  if (depth > MAX_DEPTH) return undefined;
  for (const member of btf.members(struct)) {
    if (member.offset === undefined) continue;
    if (member.name === name) return { offset: member.offset, type: member.type };
    if (member.name !== "") continue;
    const inside = findField(btf, skipWrappers(btf, member.type), name, depth + 1);
    if (inside !== undefined) return { offset: member.offset + inside.offset, type: inside.type };
  }
  return undefined;
}

/** The type itself behind typedefs and qualifiers. */
export function skipWrappers(btf: Btf, id: number): number {
  let current = id;
  for (let depth = 0; depth < MAX_WRAPPERS; depth++) {
    const type = btf.get(current);
    if (type === undefined || !wrappers.includes(type.kind)) return current;
    current = type.type;
  }
  return current;
}

/** The size of a value of this type in bytes; undefined for a type without a size. */
export function findTypeSize(btf: Btf, id: number): number | undefined {
  let [count, current] = [1, id];
  for (let depth = 0; depth < MAX_WRAPPERS; depth++) {
    const type = btf.get(skipWrappers(btf, current));
    if (type === undefined) return undefined;
    if (type.kind === btfKind.pointer) return count * 8;
    const elements = btf.elements(type.id);
    if (elements === undefined) return hasSize.includes(type.kind) ? count * type.size : undefined;
    count *= elements.count;
    current = elements.type;
  }
  return undefined;
}

const hasSize: readonly number[] = [btfKind.int, btfKind.struct, btfKind.union];
