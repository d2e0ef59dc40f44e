// SPDX-License-Identifier: Apache-2.0
// Finds a key that occurs twice in one JSON object. JSON.parse silently takes the last one (RFC 8259, section 4, allows
// any choice), so a policy would contain less than its author reads in it.

import type { PathKey } from "@rthooks/policy";

interface Frame {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** Of the member that is being read. */
  key: PathKey;
  /** In an object: the next string is a key. */
  isAtKey: boolean;
}

/** The path of the first key that occurs twice in its object. `json` must be valid JSON. */
export function findDuplicateKey(json: string): readonly PathKey[] | undefined {
  const frames: Frame[] = [];
  for (let at = 0; at < json.length; at++) {
    const frame = frames.at(-1);
    switch (json[at]) {
      case "{":
        frames.push({ keys: new Set(), key: "", isAtKey: true });
        break;
      case "[":
        frames.push({ keys: undefined, key: 0, isAtKey: false });
        break;
      case "}":
      case "]":
        frames.pop();
        break;
      case ",":
        if (frame === undefined) break;
        if (typeof frame.key === "number") frame.key++;
        else frame.isAtKey = true;
        break;
      case '"': {
        const end = findEnd(json, at);
        if (frame?.keys !== undefined && frame.isAtKey) {
          const key = readString(json.slice(at, end + 1));
          frame.key = key;
          frame.isAtKey = false;
          if (frame.keys.has(key)) return frames.map((one) => one.key);
          frame.keys.add(key);
        }
        at = end;
      }
    }
  }
  return undefined;
}

/** Where the string that begins at `start` ends. */
function findEnd(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === "\\") at++;
    else if (json[at] === '"') return at;
  }
  return json.length;
}

/** Of equal keys one may be written with escapes. */
function readString(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
