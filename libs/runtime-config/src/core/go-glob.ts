// SPDX-License-Identifier: Apache-2.0
// Go's filepath.Glob and filepath.Match on Unix (path/filepath/match.go), with which containerd resolves imports.

import type { NodeFiles } from "./node-files.ts";

/** The paths that match, in Go's order; undefined for a pattern that is malformed in Go. */
export function globPaths(files: NodeFiles, pattern: string): readonly string[] | undefined {
  if (matchName(pattern, "") === undefined) return undefined;
  if (!hasMeta(pattern)) return files.kind(pattern) === undefined ? [] : [pattern];
  const at = pattern.lastIndexOf("/");
  const [directory, name] = [at === 0 ? "/" : pattern.slice(0, at), pattern.slice(at + 1)];
  const directories = hasMeta(directory) ? globPaths(files, directory) : [directory];
  return directories?.flatMap((found) =>
    files
      .list(found)
      .filter((file) => matchName(name, file) === true)
      .map((file) => (found === "/" ? `/${file}` : `${found}/${file}`)),
  );
}

const hasMeta = (pattern: string): boolean => /[*?[\\]/.test(pattern);

type Piece = { readonly kind: "star" } | { readonly kind: "one"; accepts(character: string): boolean };

/** Whether the whole name matches; undefined for a malformed pattern. */
export function matchName(pattern: string, name: string): boolean | undefined {
  const pieces = parsePattern(pattern);
  return pieces === undefined ? undefined : matchPieces(pieces, [...name]);
}

/** After a mismatch, the last star matches one character more; no recursion. */
function matchPieces(pieces: readonly Piece[], name: readonly string[]): boolean {
  let [piece, at] = [0, 0];
  let star: { readonly piece: number; readonly at: number } | undefined;
  for (;;) {
    const current = pieces[piece];
    const character = name[at];
    if (current === undefined && character === undefined) return true;
    if (current?.kind === "star") {
      star = { piece, at };
      piece++;
    } else if (current !== undefined && character !== undefined && current.accepts(character)) {
      piece++;
      at++;
    } else if (star !== undefined && star.at < name.length && name[star.at] !== "/") {
      star = { piece: star.piece, at: star.at + 1 };
      [piece, at] = [star.piece + 1, star.at];
    } else return false;
  }
}

function parsePattern(pattern: string): readonly Piece[] | undefined {
  const characters = [...pattern];
  const pieces: Piece[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") pieces.push({ kind: "star" });
    else if (character === "?") pieces.push({ kind: "one", accepts: (one) => one !== "/" });
    else if (character === "[") {
      const set = parseSet(characters, at + 1);
      if (set === undefined) return undefined;
      pieces.push({ kind: "one", accepts: set.accepts });
      at = set.end;
    } else {
      if (character === "\\") at++;
      const literal = characters[at];
      if (literal === undefined) return undefined;
      pieces.push({ kind: "one", accepts: (one) => one === literal });
    }
  }
  return pieces;
}

interface CharacterSet {
  accepts(character: string): boolean;
  /** The index of the closing bracket. */
  readonly end: number;
}

/** `[` [ `^` ] { character-range } `]` */
function parseSet(characters: readonly string[], start: number): CharacterSet | undefined {
  const ranges: (readonly [low: string, high: string])[] = [];
  let at = start;
  const isNegated = characters[at] === "^";
  if (isNegated) at++;
  const take = (): string | undefined => {
    if (characters[at] === "\\") at++;
    else if (characters[at] === "-" || characters[at] === "]") return undefined;
    return characters[at++];
  };
  while (characters[at] !== "]" || ranges.length === 0) {
    const low = take();
    if (low === undefined) return undefined;
    if (characters[at] !== "-") {
      ranges.push([low, low]);
      continue;
    }
    at++;
    const high = take();
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  const order = (character: string): number => character.codePointAt(0) ?? 0;
  return {
    end: at,
    accepts: (one) =>
      ranges.some(([low, high]) => order(low) <= order(one) && order(one) <= order(high)) !== isNegated,
  };
}
