// SPDX-License-Identifier: Apache-2.0
// JSON of values that come from outside, bounded in every direction: depth, length of texts, number of members, and the
// whole. What is left out is marked, so that a reader sees that there was more.

export interface JsonBounds {
  readonly maxDepth: number;
  /** In UTF-16 code units. */
  readonly maxText: number;
  /** Of one list, object or map. */
  readonly maxMembers: number;
  /** Of the result, in UTF-16 code units; it may be exceeded by one text. */
  readonly maxLength: number;
}

export const defaultBounds: JsonBounds = {
  maxDepth: 8,
  maxText: 512,
  maxMembers: 64,
  maxLength: 8192,
};

/**
 * Objects that were written whole: their text, and how many levels they have. For values that share objects and do not
 * change, such as the snapshots of one actor.
 */
export type WrittenObjects = WeakMap<object, { readonly text: string; readonly levels: number }>;

const more = "…";
/** Shorter ones are written as fast as they are found. */
const minWritten = 64;

/**
 * Writes maps and sets as objects and lists, and bigints as texts. Functions and undefined members are left out. A value
 * with a `toJSON` method is written as what that returns.
 */
export function renderBoundedJson(
  value: unknown,
  bounds: JsonBounds = defaultBounds,
  written?: WrittenObjects,
): string {
  let left = bounds.maxLength;
  let cuts = 0;
  let deepest = 0;
  const write = (text: string): string => {
    left -= text.length;
    return text;
  };

  const writeText = (text: string): string => {
    if (text.length <= bounds.maxText) return write(JSON.stringify(text));
    cuts++;
    return write(JSON.stringify(`${text.slice(0, bounds.maxText)}${more}`));
  };

  const isFull = (count: number, depth: number): boolean => {
    if (depth <= bounds.maxDepth && count < bounds.maxMembers && left > 0) return false;
    cuts++;
    return true;
  };

  const writeList = (members: Iterable<unknown>, depth: number): string => {
    let text = "";
    let count = 0;
    for (const member of members) {
      const comma = count === 0 ? "" : ",";
      if (isFull(count, depth)) return `[${text}${comma}"${more}"]`;
      // JSON lists have no holes.
      text += comma + (isLeftOut(member) ? write("null") : writeValue(member, depth));
      count++;
    }
    return `[${text}]`;
  };

  const writeMembers = (
    keys: Iterable<unknown>,
    memberOf: (key: unknown) => unknown,
    depth: number,
  ): string => {
    let text = "";
    let count = 0;
    for (const key of keys) {
      const member = memberOf(key);
      if (isLeftOut(member)) continue;
      const comma = count === 0 ? "" : ",";
      if (isFull(count, depth)) return `{${text}${comma}"${more}":true}`;
      text += `${comma}${writeText(String(key))}:${writeValue(member, depth)}`;
      count++;
    }
    return `{${text}}`;
  };

  const writeValue = (current: unknown, depth: number): string => {
    switch (typeof current) {
      case "string":
        return writeText(current);
      case "bigint":
        return write(`"${current}"`);
      case "number":
        return write(Number.isFinite(current) ? `${current}` : `"${current}"`);
      case "boolean":
        return write(`${current}`);
      case "object":
        return current === null ? write("null") : writeShared(current, depth + 1);
      default:
        return write("null");
    }
  };

  const writeShared = (current: object, depth: number): string => {
    const known = written?.get(current);
    if (known !== undefined && depth + known.levels <= bounds.maxDepth && known.text.length < left) {
      deepest = Math.max(deepest, depth + known.levels);
      return write(known.text);
    }
    const before = { cuts, deepest };
    deepest = depth;
    const text = writeObject(current, depth);
    const levels = deepest - depth;
    deepest = Math.max(deepest, before.deepest);
    if (cuts === before.cuts && text.length >= minWritten) written?.set(current, { text, levels });
    return text;
  };

  const writeObject = (current: object, depth: number): string => {
    if ("toJSON" in current && typeof current.toJSON === "function") {
      const replaced: unknown = current.toJSON();
      if (replaced !== current) return writeValue(replaced, depth);
    }
    if (Array.isArray(current) || current instanceof Set) return writeList(current, depth);
    if (current instanceof Map) return writeMembers(current.keys(), (key) => current.get(key), depth);
    return writeMembers(Object.keys(current), (key) => Reflect.get(current, String(key)), depth);
  };

  return writeValue(value, 0);
}

const isLeftOut = (member: unknown): boolean => member === undefined || typeof member === "function";
