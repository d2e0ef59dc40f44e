// SPDX-License-Identifier: Apache-2.0
// The places of a document, and copies with one of them changed.

export type Path = readonly (string | number)[];

export interface Place {
  readonly path: Path;
  readonly value: unknown;
}

/** Every place in a document, the document itself first. */
export function listPlaces(value: unknown, path: Path = []): readonly Place[] {
  const here = { path, value };
  if (Array.isArray(value)) {
    return [here, ...value.flatMap((item, index) => listPlaces(item, [...path, index]))];
  }
  if (typeof value !== "object" || value === null) return [here];
  return [here, ...Object.entries(value).flatMap(([key, item]) => listPlaces(item, [...path, key]))];
}

/** A copy with `replace` done to one place. */
export function change(value: unknown, path: Path, replace: (old: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replace(value);
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === key ? change(item, rest, replace) : item));
  }
  const entries = Object.entries(Object(value));
  return Object.fromEntries(
    entries.map(([name, item]) => [name, name === key ? change(item, rest, replace) : item]),
  );
}
