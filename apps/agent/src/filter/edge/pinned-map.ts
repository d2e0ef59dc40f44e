// SPDX-License-Identifier: Apache-2.0
// Pinned maps on a bpf file system. A pin is replaced by rename(2), so there is a map at every moment, and an agent that
// dies between two steps leaves the old one. All errors are one line.

import { lstatSync, renameSync, rmSync } from "node:fs";
import { type Bpf, type BpfMap, findMismatch, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { describeError, err, ok, type Result } from "@rthooks/result";

export type PinnedObject =
  | { readonly kind: "none" }
  | { readonly kind: "map"; readonly map: BpfMap }
  /** A directory, or an object that is not a map. */
  | { readonly kind: "other"; readonly what: string };

export function findPinned(bpf: Bpf, path: string): Result<PinnedObject, string> {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return ok({ kind: "none" });
    if (stats.isDirectory()) return ok({ kind: "other", what: "a directory" });
  } catch (error) {
    return err(`cannot examine ${path}: ${describeError(error)}`);
  }
  const pinned = bpf.openPinned(path);
  if (pinned.ok)
    return ok(pinned.value === undefined ? { kind: "none" } : { kind: "map", map: pinned.value });
  // Another error, such as too few descriptors, does not mean that it is something else.
  if (pinned.error.code !== "EINVAL") return err(renderBpfError(pinned.error));
  return ok({ kind: "other", what: `something else (${pinned.error.message})` });
}

/** Replaces whatever is at the path, except for a directory. */
export function pinOver(map: BpfMap, path: string): Result<void, string> {
  // The bpf file system refuses names with a dot (bpf_lookup()).
  const draft = `${path}_new`;
  const attempt = (work: () => void): Result<void, string> => {
    try {
      work();
      return ok(undefined);
    } catch (error) {
      return err(`cannot replace ${path}: ${describeError(error)}`);
    }
  };
  // Left by an agent that ended between the two steps.
  const cleared = attempt(() => rmSync(draft, { force: true }));
  if (!cleared.ok) return cleared;
  const pinned = map.pin(draft);
  return pinned.ok ? attempt(() => renameSync(draft, path)) : err(renderBpfError(pinned.error));
}

/** Renames it, as its owner may still need it. Returns the new path. */
function moveAside(path: string): Result<string, string> {
  const aside = `${path}_old`;
  try {
    renameSync(path, aside);
    return ok(aside);
  } catch (error) {
    return err(
      `${path} is in the way and cannot be renamed to ${aside}: ${describeError(error)}; remove one of them`,
    );
  }
}

/** Renames what is in the place of a map, and reports it. */
export function setAside(path: string, what: string, reports: PinReports): Result<void, string> {
  const moved = moveAside(path);
  if (!moved.ok) return moved;
  reports.problem(`${path} was ${what}: renamed to ${moved.value}, remove it if it is not needed`);
  return ok(undefined);
}

export interface PinnedMapOptions {
  readonly bpf: Bpf;
  readonly path: string;
  readonly spec: MapSpec;
  /** Of the maps inside a map of maps. */
  readonly inner?: MapSpec;
  /** Copies the contents of a map with an unexpected layout into its replacement, which is empty otherwise. */
  copy?(from: BpfMap, to: BpfMap): Result<void, string>;
  readonly reports: PinReports;
}

/** Deviations that were found, one line each. */
export interface PinReports {
  /** Corrected. */
  note(what: string): void;
  /** The operator has to do something. */
  problem(what: string): void;
}

/** The pinned map, if it has the expected layout; else a new one in its place. */
export function openPinnedMap(options: PinnedMapOptions): Result<BpfMap, string> {
  const { bpf, path, spec, inner, reports } = options;
  const found = findPinned(bpf, path);
  if (!found.ok) return found;
  if (found.value.kind === "other") {
    const aside = setAside(path, found.value.what, reports);
    if (!aside.ok) return aside;
  }
  const old = found.value.kind === "map" ? found.value.map : undefined;
  if (old !== undefined) {
    const mismatch = findPinMismatch(bpf, old, spec, inner);
    if (!mismatch.ok) {
      old.close();
      return mismatch;
    }
    if (mismatch.value === undefined) return ok(old);
    reports.note(`${path} has an unexpected layout and is replaced: ${mismatch.value}`);
  }
  const made = createPinned(options, old);
  old?.close();
  return made;
}

function createPinned(
  { bpf, path, spec, inner, copy }: PinnedMapOptions,
  old: BpfMap | undefined,
): Result<BpfMap, string> {
  const made = inner === undefined ? bpf.createMap(spec) : bpf.createMapOfMaps(spec, inner);
  if (!made.ok) return err(renderBpfError(made.error));
  const copied = old === undefined || copy === undefined ? ok(undefined) : copy(old, made.value);
  const done = copied.ok ? pinOver(made.value, path) : copied;
  if (done.ok) return ok(made.value);
  made.value.close();
  return done;
}

/** How the map differs from `spec`, or the maps inside it from `inner`; undefined where they agree. */
export function findPinMismatch(
  bpf: Bpf,
  map: BpfMap,
  spec: MapSpec,
  inner: MapSpec | undefined,
): Result<string | undefined, string> {
  const mismatch = findMismatch(map.info, spec);
  if (mismatch !== undefined || inner === undefined) return ok(mismatch);
  const takes = bpf.takesInner(map, inner);
  if (!takes.ok) return err(renderBpfError(takes.error));
  return ok(takes.value ? undefined : "the layout of the maps inside");
}

/** Pins the map again where its pin is missing or another object; true: it was pinned again. */
export function keepPinned(bpf: Bpf, map: BpfMap, path: string): Result<boolean, string> {
  const found = findPinned(bpf, path);
  if (!found.ok) return found;
  if (found.value.kind === "map") {
    const { map: there } = found.value;
    there.close();
    if (there.info.id === map.info.id) return ok(false);
  }
  const aside = found.value.kind === "other" ? moveAside(path) : ok(path);
  if (!aside.ok) return aside;
  const done = pinOver(map, path);
  return done.ok ? ok(true) : done;
}
