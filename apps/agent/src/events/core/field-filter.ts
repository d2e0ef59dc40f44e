// SPDX-License-Identifier: Apache-2.0
// Which fields of an event a client gets: paths such as "process.pod.name", as the .proto files name them. Exclusion wins
// over inclusion. The fields beside the event, such as its time, always stay.

import { err, ok, type Result } from "@rthooks/result";

/** As the client has sent it. */
export interface WrittenFieldFilter {
  readonly eventSet: readonly number[];
  readonly paths: readonly string[];
  readonly excludes: boolean;
  readonly invertsEventSet: boolean;
}

/** An event or a part of one: a plain object of fields. */
type Fields = Readonly<Record<string, unknown>>;

/** How an object of fields is written: messages of a generator, or parsed JSON. */
export interface FieldForm {
  /** The key of a field with this name in the .proto file. */
  toKey(name: string): string;
  /** The value of a field that is left out. */
  clear(key: string, value: unknown): unknown;
}

export type FieldCut = (type: number, event: Fields) => Fields;

/** The parts of the paths. A part without further parts is a whole field. */
type PathTree = ReadonlyMap<string, PathTree>;

/** Each is a walk through the event. */
const maxFilters = 16;
const maxPaths = 256;
const maxDepth = 8;
const part = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

export function compileFieldFilters(
  filters: readonly WrittenFieldFilter[],
  form: FieldForm,
): Result<FieldCut, string> {
  if (filters.length > maxFilters) {
    return err(`field_filters: ${filters.length} filters: ${maxFilters} are allowed`);
  }
  const cuts: FieldCut[] = [];
  let count = 0;
  for (const filter of filters) {
    count += filter.paths.length;
    if (count > maxPaths) return err(`field_filters: more than ${maxPaths} paths`);
    const tree = toTree(filter.paths, form);
    if (!tree.ok) return err(`field_filters: ${tree.error}`);
    // Without a path there is nothing to include or exclude.
    if (tree.value.size === 0) continue;
    const types = new Set(filter.eventSet);
    const { excludes } = filter;
    cuts.push((type, event) => {
      const applies = types.size === 0 || types.has(type) !== filter.invertsEventSet;
      return applies ? cutFields(event, tree.value, { ...form, excludes }) : event;
    });
  }
  return ok((type, event) => cuts.reduce((fields, cut) => cut(type, fields), event));
}

function toTree(paths: readonly string[], form: FieldForm): Result<PathTree, string> {
  type Node = Map<string, Node>;
  const root: Node = new Map();
  for (const path of paths) {
    const parts = path.split(".");
    if (parts.length > maxDepth || !parts.every((name) => part.test(name))) {
      return err(
        `${JSON.stringify(path.slice(0, 100))} is not the path of a field, such as process.pod.name`,
      );
    }
    let node = root;
    for (const [at, name] of parts.entries()) {
      const key = form.toKey(name);
      const next = node.get(key);
      // A shorter path covers the longer ones below it.
      if (next !== undefined && next.size === 0) break;
      const child: Node = next ?? new Map();
      if (at === parts.length - 1) child.clear();
      node.set(key, child);
      node = child;
    }
  }
  return ok(root);
}

interface Cut extends FieldForm {
  readonly excludes: boolean;
}

function cutFields(fields: Fields, tree: PathTree, cut: Cut): Fields {
  const kept: Record<string, unknown> = {};
  for (const key in fields) {
    const value = fields[key];
    kept[key] = isOneof(value) ? cutOneof(value, tree, cut) : cutField(key, value, tree.get(key), cut);
  }
  return kept;
}

/** `below`: undefined where no path names the field. */
function cutField(key: string, value: unknown, below: PathTree | undefined, cut: Cut): unknown {
  if (below === undefined) return cut.excludes ? value : cut.clear(key, value);
  if (below.size === 0) return cut.excludes ? cut.clear(key, value) : value;
  // In each element of a list. A value without fields of its own, such as a map of labels, stays as it is.
  if (Array.isArray(value)) return value.map((element) => cutField(key, element, below, cut));
  return isFields(value) ? cutFields(value, below, cut) : value;
}

/** Of generated messages: `{ $case: "intArg", intArg: 1 }`. Paths name the member, and not the oneof. */
function cutOneof(oneof: Oneof, tree: PathTree, cut: Cut): unknown {
  const { $case: member } = oneof;
  const below = tree.get(member);
  if (below === undefined) return cut.excludes ? oneof : undefined;
  if (below.size === 0) return cut.excludes ? undefined : oneof;
  return { $case: member, [member]: cutField(member, oneof[member], below, cut) };
}

type Oneof = Fields & { readonly $case: string };

const isOneof = (value: unknown): value is Oneof =>
  isFields(value) && "$case" in value && typeof value["$case"] === "string";

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Map) &&
  !(value instanceof Uint8Array);
