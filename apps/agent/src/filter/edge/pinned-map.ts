// SPDX-License-Identifier: Apache-2.0
// Maps in their places on a bpf file system. What is there is replaced by rename(2), so there is no moment without a map,
// and an agent that dies between two steps leaves the old one.

import { lstatSync, renameSync, rmSync } from "node:fs";
import { type Bpf, type BpfMap, findMismatch, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { describeError, err, ok, type Result } from "@rthooks/result";

export type PinnedObject =
  | { readonly kind: "none" }
  | { readonly kind: "map"; readonly map: BpfMap }
  /** A directory, or an object that is not a map. */
  | { readonly kind: "other"; readonly what: string };

/** The error is one line for people, as all of this file. */
export function findPinned(bpf: Bpf, path: string): Result<PinnedObject, string> {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return ok({ kind: "none" });
    if (stats.isDirectory()) return ok({ kind: "other", what: "a directory" });
  } catch (error) {
    return err(`${path} cannot be looked at: ${describeError(error)}`);
  }
  const pinned = bpf.openPinned(path);
  if (pinned.ok)
    return ok(pinned.value === undefined ? { kind: "none" } : { kind: "map", map: pinned.value });
  // What cannot be opened now, as without descriptors, may be a map all the same.
  if (pinned.error.code !== "EINVAL") return err(renderBpfError(pinned.error));
  return ok({ kind: "other", what: `something else (${pinned.error.message})` });
}

/** In place of what is there, which must not be a directory. */
export function pinOver(map: BpfMap, path: string): Result<void, string> {
  // A name with a dot is refused there (bpf_lookup()).
  const draft = `${path}_new`;
  const attempt = (work: () => void): Result<void, string> => {
    try {
      work();
      return ok(undefined);
    } catch (error) {
      return err(`${path} cannot be replaced: ${describeError(error)}`);
    }
  };
  // An agent that was ended in between has left it.
  const cleared = attempt(() => rmSync(draft, { force: true }));
  if (!cleared.ok) return cleared;
  const pinned = map.pin(draft);
  return pinned.ok ? attempt(() => renameSync(draft, path)) : err(renderBpfError(pinned.error));
}

/** Out of the way, and not removed: it may be of use to its owner. Gives its new path. */
export function setAside(path: string): Result<string, string> {
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

export interface PinnedMapOptions {
  readonly bpf: Bpf;
  readonly path: string;
  readonly spec: MapSpec;
  /** The maps that a map of maps takes. */
  readonly inner?: MapSpec;
  /** Into a new map what one of another layout holds; without it the new one begins empty. */
  copy?(from: BpfMap, to: BpfMap): Result<void, string>;
  readonly reports: PinReports;
}

/** What was not as it should be, one line for people each. */
export interface PinReports {
  /** It is right now. */
  note(what: string): void;
  /** Something is to be done by the operator. */
  problem(what: string): void;
}

/** The map that is pinned there, if it is right as a whole; else a right one that takes its place. */
export function openPinnedMap(options: PinnedMapOptions): Result<BpfMap, string> {
  const { bpf, path, spec, inner, reports } = options;
  const found = findPinned(bpf, path);
  if (!found.ok) return found;
  if (found.value.kind === "other") {
    const aside = setAside(path);
    if (!aside.ok) return aside;
    reports.problem(
      `${path} was ${found.value.what}: it is ${aside.value} now, remove it if nothing needs it`,
    );
  }
  const old = found.value.kind === "map" ? found.value.map : undefined;
  if (old !== undefined) {
    const mismatch = findPinMismatch(bpf, old, spec, inner);
    if (!mismatch.ok) {
      old.close();
      return mismatch;
    }
    if (mismatch.value === undefined) return ok(old);
    reports.note(`${path} is of another layout and is replaced: ${mismatch.value}`);
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

/** What of the map is not as wanted, also of the maps that it takes; undefined where all is right. */
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
  return ok(takes.value ? undefined : "it takes maps of another layout");
}

/** True: something else was in the map's place, or nothing, and it is pinned again. */
export function keepPinned(bpf: Bpf, map: BpfMap, path: string): Result<boolean, string> {
  const found = findPinned(bpf, path);
  if (!found.ok) return found;
  if (found.value.kind === "map") {
    const { map: there } = found.value;
    there.close();
    if (there.info.id === map.info.id) return ok(false);
  }
  const aside = found.value.kind === "other" ? setAside(path) : ok(path);
  if (!aside.ok) return aside;
  const done = pinOver(map, path);
  return done.ok ? ok(true) : done;
}
