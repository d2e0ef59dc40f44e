// SPDX-License-Identifier: Apache-2.0
// Filters a JSON text to some of its members while its bytes arrive, so that memory does not grow with its size.

/** Which parts of a value are kept: all, or the named members of an object. In an array, the same of each element. */
export type Keep = true | { readonly [member: string]: Keep };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const comma = Uint8Array.of(COMMA);
const colon = Uint8Array.of(COLON);

interface Container {
  readonly keep: Keep;
  readonly isArray: boolean;
  /** Number of members or elements in the output. */
  written: number;
}

/**
 * Returns the function that takes the next bytes. Kept parts go to `write` as slices of the input, which are valid only
 * during the call. The output of a valid text is valid; an invalid text gives invalid output.
 */
export function createJsonFilter(
  keep: Keep,
  write: (bytes: Uint8Array) => void,
): (bytes: Uint8Array) => void {
  const containers: Container[] = [];
  let expects: "value" | "key" | "colon" | "next" = "value";
  /** For the next value; undefined to omit it. */
  let keepNext: Keep | undefined = keep;
  let key: number[] | undefined;
  let inString = false;
  let isEscaped = false;
  /** A value that is copied or omitted as a whole. */
  let whole: { readonly isCopied: boolean; depth: number } | undefined;

  /** Returns the index after the value's bytes; resets `whole` at the end of the value. */
  const scanWhole = (bytes: Uint8Array, start: number, value: NonNullable<typeof whole>): number => {
    let at = start;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) value.depth++;
      else if (byte === COMMA && value.depth === 0) break;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        // It closes the enclosing object or array.
        if (value.depth === 0) break;
        value.depth--;
      }
    }
    if (value.isCopied) write(bytes.subarray(start, at));
    if (at < bytes.length) {
      whole = undefined;
      expects = "next";
    }
    return at;
  };

  const beginValue = (bytes: Uint8Array, at: number): number => {
    const byte = bytes[at];
    const parent = containers.at(-1);
    if (parent?.isArray === true && byte !== CLOSE_ARRAY) {
      if (parent.written++ > 0) write(comma);
    }
    const isObject = byte === OPEN_OBJECT;
    if (keepNext === undefined || keepNext === true || !(isObject || byte === OPEN_ARRAY)) {
      whole = { isCopied: keepNext !== undefined, depth: 0 };
      return at;
    }
    write(bytes.subarray(at, at + 1));
    containers.push({ keep: keepNext, isArray: !isObject, written: 0 });
    expects = isObject ? "key" : "value";
    return at + 1;
  };

  const close = (bytes: Uint8Array, at: number): number => {
    write(bytes.subarray(at, at + 1));
    containers.pop();
    expects = "next";
    return at + 1;
  };

  const endKey = (raw: readonly number[], container: Container): void => {
    const text = Uint8Array.from(raw);
    keepNext = container.keep === true ? true : findMember(container.keep, text);
    if (keepNext === undefined) return;
    if (container.written++ > 0) write(comma);
    write(text);
    write(colon);
  };

  return (bytes) => {
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at] ?? 0;
      const container = containers.at(-1);
      if (whole !== undefined) at = scanWhole(bytes, at, whole);
      else if (key !== undefined) {
        key.push(byte);
        at++;
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) {
          if (container !== undefined) endKey(key, container);
          key = undefined;
          expects = "colon";
        }
      } else if (isSpace(byte)) at++;
      else if (expects === "colon") {
        expects = "value";
        at++;
      } else if (expects === "value" && !(byte === CLOSE_ARRAY && container?.isArray === true))
        at = beginValue(bytes, at);
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) at = close(bytes, at);
      else if (byte === QUOTE && expects === "key") {
        key = [byte];
        at++;
      } else if (byte === COMMA && container !== undefined) {
        expects = container.isArray ? "value" : "key";
        if (container.isArray) keepNext = container.keep;
        at++;
      } else at++;
    }
  };
}

function findMember(keep: { readonly [member: string]: Keep }, key: Uint8Array): Keep | undefined {
  let name: unknown;
  try {
    name = JSON.parse(new TextDecoder().decode(key));
  } catch {
    return undefined;
  }
  return typeof name === "string" && Object.hasOwn(keep, name) ? keep[name] : undefined;
}
