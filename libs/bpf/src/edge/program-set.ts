// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { type BpfObject, type BpfProgram, parseBpfObject } from "../core/bpf-object.ts";
import { type ProgramError, toProgramError } from "../core/program-error.ts";
import { attachProgram } from "./attach-program.ts";
import { type BpfCalls, openBpfCalls } from "./bpf-call.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openPinnedObject, pinObject, readMapIdsOfLink } from "./bpf-programs.ts";
import { openObjectMaps } from "./object-maps.ts";
import { type Bpf, toBpf } from "./open-bpf.ts";
import { createProgramLoader } from "./program-loader.ts";

export interface ProgramSetOptions {
  /** A compiled file of bpf/. */
  readonly object: Uint8Array;
  /** In a bpf file system: maps and links are pinned there, so that programs stay attached when this process ends. */
  readonly directory: string;
  /** Directory of the root of the v2 hierarchy. */
  readonly cgroupRoot: string;
}

/** The programs and maps of one object. */
export interface ProgramSet {
  /** Throws for a map that the object does not define. */
  map(name: string): BpfMap;
  /** Programs that are attached, by this process or an earlier one; also of another version of the object. */
  attached(): Result<readonly string[], string>;
  /** Adopts the program if an earlier process attached the same with the same maps; else loads and attaches it. */
  attach(program: string): Result<"adopted" | "attached", ProgramError>;
  /** The kernel detaches it some milliseconds later. The error is one line. */
  detach(program: string): Result<void, string>;
  /** Closes the descriptors; attached programs go on. */
  close(): void;
}

/** In the place of a version, while a program takes over from another. */
const UNFINISHED = "0".repeat(16);

/** The error is one line. */
export function openProgramSet({
  object: bytes,
  directory,
  cgroupRoot,
}: ProgramSetOptions): Result<ProgramSet, string> {
  const calls = openBpfCalls();
  if (!calls.ok) return calls;
  const object = parseBpfObject(bytes);
  if (!object.ok) return err(`the object of BPF programs: ${object.error}`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`cannot create ${directory}: ${describeError(error)}`);
  }
  const bpf = toBpf(calls.value);
  const maps = openObjectMaps(bpf, object.value.maps, directory);
  if (!maps.ok) return maps;
  const version = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16);
  return ok(
    toProgramSet(calls.value, bpf, {
      ...{ directory, cgroupRoot, version, object: object.value, maps: maps.value },
    }),
  );
}

interface Opened extends Pick<ProgramSetOptions, "directory" | "cgroupRoot"> {
  readonly object: BpfObject;
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Part of the name of a pinned link. */
  readonly version: string;
}

function toProgramSet(calls: BpfCalls, bpf: Bpf, opened: Opened): ProgramSet {
  const { directory, object, maps, version } = opened;
  const loader = createProgramLoader(calls, bpf, object, maps);

  /** A link's name is "PROGRAM-VERSION": file systems of this type do not have names with a dot. */
  const findPins = (program: string): readonly string[] =>
    readdirSync(directory).filter(
      (name) => name.replace(/-[0-9a-f]{16}$/, "") === program && name !== program,
    );

  const isSame = (program: BpfProgram, path: string): boolean => {
    const link = openPinnedObject(calls, path);
    if (!link.ok) return false;
    const ids = readMapIdsOfLink(calls, link.value);
    calls.close(link.value);
    const pinned = object.maps.filter(
      ({ isPinned, spec }) => isPinned && program.references.some(({ map }) => map === spec.name),
    );
    return ids.ok && pinned.every(({ spec }) => ids.value.includes(maps.get(spec.name)?.info.id ?? -1));
  };

  const attachAndPin = (program: BpfProgram, path: string): Result<"attached", ProgramError> => {
    const fd = loader.load(program);
    if (!fd.ok) return fd;
    const link = attachProgram(calls, program, fd.value, opened.cgroupRoot);
    calls.close(fd.value);
    if (!link.ok) return link;
    const pinned = pinObject(calls, link.value, path);
    calls.close(link.value);
    return pinned.ok
      ? ok("attached")
      : err(toProgramError(program.name, `pinning it: ${renderBpfError(pinned.error)}`));
  };

  /** Throws where the directory cannot be changed. */
  const replace = (program: BpfProgram): Result<"adopted" | "attached", ProgramError> => {
    const [pin, pins] = [`${program.name}-${version}`, findPins(program.name)];
    if (pins.includes(pin) && isSame(program, join(directory, pin))) return ok("adopted");
    // What is there stays in force until its successor is.
    const next = join(directory, `${program.name}-${UNFINISHED}`);
    rmSync(next, { force: true });
    const attached = attachAndPin(program, next);
    if (!attached.ok) return attached;
    renameSync(next, join(directory, pin));
    for (const old of pins) if (old !== pin) rmSync(join(directory, old), { force: true });
    return attached;
  };

  return {
    map(name) {
      const map = maps.get(name);
      if (map === undefined) throw new RangeError(`the object does not define a map ${name}`);
      return map;
    },
    attached() {
      try {
        return ok(object.programs.map(({ name }) => name).filter((name) => findPins(name).length > 0));
      } catch (error) {
        return err(`cannot read ${directory}: ${describeError(error)}`);
      }
    },
    attach(name) {
      const program = object.programs.find((one) => one.name === name);
      if (program === undefined) return err(toProgramError(name, "the object does not contain it"));
      try {
        return replace(program);
      } catch (error) {
        return err(toProgramError(name, `pinning it: ${describeError(error)}`));
      }
    },
    detach(name) {
      try {
        for (const pin of findPins(name)) rmSync(join(directory, pin));
        return ok(undefined);
      } catch (error) {
        return err(`program ${name}: detaching it: ${describeError(error)}`);
      }
    },
    close() {
      loader.close();
      for (const map of maps.values()) map.close();
    },
  };
}
