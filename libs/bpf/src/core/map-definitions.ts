// SPDX-License-Identifier: Apache-2.0
// Maps as an object defines them: the variables of its section .maps, whose types describe them (libbpf's __uint and
// __type in bpf_helpers.h).

import { err, ok, type Result } from "@rthooks/result";
import { type Btf, btfKind } from "./btf.ts";
import { findTypeSize, skipWrappers } from "./btf-field.ts";
import { findMapType } from "./commands.ts";
import type { MapSpec } from "./map-spec.ts";

export interface MapDefinition {
  readonly spec: MapSpec;
  /** It is pinned under its name, and what is pinned there is used. */
  readonly isPinned: boolean;
  /** Offset of the variable in the section .maps. */
  readonly offset: number;
}

const MAX_MAPS = 64;
const PIN_BY_NAME = 1;
const MAX_NUMBER = 0x7fffffff;

/** `offsetOf`: the place of a variable in its section. */
export function parseMapDefinitions(
  btf: Btf,
  offsetOf: (name: string) => number | undefined,
): Result<readonly MapDefinition[], string> {
  const section = btf.find(btfKind.section, ".maps");
  const variables = section === undefined ? [] : btf.variables(section.id);
  if (variables.length > MAX_MAPS) return err(`${variables.length} maps, more than ${MAX_MAPS}`);
  const maps: MapDefinition[] = [];
  for (const { name, type } of variables) {
    const offset = offsetOf(name);
    if (offset === undefined) return err(`map ${name}: it has no symbol`);
    const spec = parseSpec(btf, name, skipWrappers(btf, type));
    if (!spec.ok) return err(`map ${name}: ${spec.error}`);
    maps.push({ ...spec.value, offset });
  }
  return ok(maps);
}

function parseSpec(btf: Btf, name: string, struct: number): Result<Omit<MapDefinition, "offset">, string> {
  const members = new Map(btf.members(struct).map((member) => [member.name, member.type]));
  const unknown = [...members.keys()].find((key) => !knownMembers.includes(key));
  if (unknown !== undefined) return err(`${unknown} is not supported`);
  const target = (key: string): number | undefined => {
    const pointer = btf.get(skipWrappers(btf, members.get(key) ?? 0));
    return pointer?.kind === btfKind.pointer ? pointer.type : undefined;
  };
  /** __uint(key, 3) is a pointer to an array of three. */
  const number = (key: string): number | undefined => btf.elements(target(key) ?? 0)?.count;
  const size = (key: string): number => {
    const type = target(key);
    return (type === undefined ? number(`${key}_size`) : findTypeSize(btf, type)) ?? 0;
  };
  const typeNumber = number("type") ?? 0;
  const type = findMapType(typeNumber);
  if (type === undefined) return err(`type ${typeNumber} is not supported`);
  const [keySize, valueSize, maxEntries] = [size("key"), size("value"), number("max_entries") ?? 0];
  const flags = number("map_flags") ?? 0;
  const tooLarge = [keySize, valueSize, maxEntries, flags].find((value) => value > MAX_NUMBER);
  if (tooLarge !== undefined) return err(`${tooLarge} is too large`);
  return ok({
    spec: { type, name, keySize, valueSize, maxEntries, flags },
    isPinned: number("pinning") === PIN_BY_NAME,
  });
}

const knownMembers: readonly string[] = [
  ...["type", "key", "value", "key_size", "value_size", "max_entries", "map_flags", "pinning"],
];
