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

const more = "…";

/**
 * Writes maps and sets as objects and lists, and bigints as texts. Functions and undefined members are left out. A value
 * with a `toJSON` method is written as what that returns.
 */
export function renderBoundedJson(value: unknown, bounds: JsonBounds = defaultBounds): string {
  let left = bounds.maxLength;
  const write = (text: string): string => {
    left -= text.length;
    return text;
  };

  const writeText = (text: string): string =>
    write(JSON.stringify(text.length > bounds.maxText ? `${text.slice(0, bounds.maxText)}${more}` : text));

  const writeMembers = (
    members: Iterable<readonly [key: string | undefined, value: unknown]>,
    depth: number,
    brackets: readonly [open: string, close: string],
  ): string => {
    const parts: string[] = [];
    const isObject = brackets[0] === "{";
    for (const [key, member] of members) {
      if (member === undefined || typeof member === "function") continue;
      if (depth > bounds.maxDepth || parts.length >= bounds.maxMembers || left <= 0) {
        parts.push(isObject ? `"${more}":true` : `"${more}"`);
        break;
      }
      const name = key === undefined ? "" : `${writeText(key)}:`;
      parts.push(`${name}${writeValue(member, depth)}`);
    }
    return `${brackets[0]}${parts.join(",")}${brackets[1]}`;
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
        return current === null ? write("null") : writeObject(current, depth + 1);
      default:
        return write("null");
    }
  };

  const writeObject = (current: object, depth: number): string => {
    if ("toJSON" in current && typeof current.toJSON === "function") {
      const replaced: unknown = current.toJSON();
      if (replaced !== current) return writeValue(replaced, depth);
    }
    if (Array.isArray(current)) return writeMembers(listOf(current), depth, ["[", "]"]);
    if (current instanceof Set) return writeMembers(listOf(current), depth, ["[", "]"]);
    if (current instanceof Map) return writeMembers(entriesOf(current), depth, ["{", "}"]);
    return writeMembers(Object.entries(current), depth, ["{", "}"]);
  };

  return writeValue(value, 0);
}

function* listOf(values: Iterable<unknown>): Iterable<readonly [undefined, unknown]> {
  // JSON lists have no holes.
  for (const value of values)
    yield [undefined, value === undefined || typeof value === "function" ? null : value];
}

function* entriesOf(map: ReadonlyMap<unknown, unknown>): Iterable<readonly [string, unknown]> {
  for (const [key, value] of map) yield [String(key), value];
}
