// SPDX-License-Identifier: Apache-2.0

import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { BpfObject, BpfProgram } from "../core/bpf-object.ts";
import { type ProgramError, toProgramError } from "../core/program-error.ts";
import { type ProgramInstance, renderInstance } from "../core/program-instance.ts";
import { attachProgram } from "./attach-program.ts";
import type { BpfCalls } from "./bpf-call.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openPinnedObject, pinObject, readMapIdsOfLink, readMapIdsOfProgram } from "./bpf-programs.ts";
import { createHeldPins, UNFINISHED } from "./held-pins.ts";
import { openObjectMaps } from "./object-maps.ts";
import { type Bpf, toBpf } from "./open-bpf.ts";
import { openObject } from "./open-object.ts";
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
  /** The names of a template's instances that are attached, in the same sense. */
  instances(template: string): Result<readonly string[], string>;
  /**
   * Adopts the program if an earlier process attached the same with the same maps and constants; else loads and attaches
   * it. A template needs an instance.
   */
  attach(program: string, instance?: ProgramInstance): Result<"adopted" | "attached", ProgramError>;
  /** The descriptor of a program that others call, if this process has attached or adopted it. */
  findCalled(program: string, instance: string): number | undefined;
  /** The kernel detaches it some milliseconds later. The error is one line. */
  detach(program: string, instance?: string): Result<void, string>;
  /**
   * Pins maps and programs again whose pins are missing or replaced; true: there was one. Programs that this process has
   * attached or adopted stay attached without a pin. The error is one line.
   */
  keep(): Result<boolean, string>;
  /** Closes the descriptors; attached programs go on. */
  close(): void;
}

/** The error is one line. */
export function openProgramSet({
  object: bytes,
  directory,
  cgroupRoot,
}: ProgramSetOptions): Result<ProgramSet, string> {
  const opened = openObject(bytes, directory);
  if (!opened.ok) return opened;
  const { calls, object } = opened.value;
  const bpf = toBpf(calls);
  const maps = openObjectMaps(bpf, object.maps, directory);
  if (!maps.ok) return maps;
  const version = hash(bytes);
  return ok(
    toProgramSet(calls, bpf, {
      ...{ directory, cgroupRoot, version, object, maps: maps.value },
    }),
  );
}

/** Part of a pin's name. */
const hash = (...parts: readonly (string | Uint8Array)[]): string => {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const part of parts) hasher.update(part);
  return hasher.digest("hex").slice(0, 16);
};

const toSubject = (program: string, instance: string | undefined): string =>
  instance === undefined ? program : `${program}-${instance}`;

interface Opened extends Pick<ProgramSetOptions, "directory" | "cgroupRoot"> {
  readonly object: BpfObject;
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly version: string;
}

function toProgramSet(calls: BpfCalls, bpf: Bpf, opened: Opened): ProgramSet {
  const { directory, object, maps, version } = opened;
  const loader = createProgramLoader(calls, bpf, object, maps);
  const held = createHeldPins(calls, directory);

  /**
   * A pin's name is "PROGRAM-VERSION" or "PROGRAM-INSTANCE-VERSION": file systems of this type do not have names with a
   * dot. `subject`: what is before the version.
   */
  const findPins = (subject: string): readonly string[] =>
    readdirSync(directory).filter(
      (name) => name.replace(/-[0-9a-f]{16}$/, "") === subject && name !== subject,
    );

  /** What is pinned is held if it is what is wanted. */
  const adopt = (program: BpfProgram, pin: string, isCalled: boolean): boolean => {
    const there = openPinnedObject(calls, join(directory, pin));
    if (!there.ok) return false;
    const ids = (isCalled ? readMapIdsOfProgram : readMapIdsOfLink)(calls, there.value);
    const pinned = object.maps.filter(
      ({ isPinned, spec }) => isPinned && program.references.some(({ map }) => map === spec.name),
    );
    const isSame =
      ids.ok && pinned.every(({ spec }) => ids.value.includes(maps.get(spec.name)?.info.id ?? -1));
    if (isSame) held.hold(pin, there.value);
    else calls.close(there.value);
    return isSame;
  };

  const attach = (
    program: BpfProgram,
    instance: ProgramInstance | undefined,
    isFresh = false,
  ): Result<number, ProgramError> => {
    const fd = loader.load(program, instance);
    if (!fd.ok) return fd;
    const placed = { ...program, attach: instance?.attach ?? program.attach };
    const link = attachProgram(calls, placed, fd.value, opened.cgroupRoot, instance?.cookie);
    // The kernel has not yet ended an earlier link of this very program to the place: then another copy is attached.
    const isThere = !link.ok && link.error.code === "EEXIST" && instance !== undefined && !isFresh;
    if (isThere) loader.forget(fd.value);
    loader.release(fd.value);
    return isThere ? attach(program, instance, true) : link;
  };

  const attachAndPin = (
    program: BpfProgram,
    instance: ProgramInstance | undefined,
    path: string,
  ): Result<number, ProgramError> => {
    const link = attach(program, instance);
    if (!link.ok) return link;
    const pinned = pinObject(calls, link.value, path);
    if (pinned.ok) return link;
    calls.close(link.value);
    return err(toProgramError(program.name, `pinning it: ${renderBpfError(pinned.error)}`));
  };

  const loadAndPin = (
    program: BpfProgram,
    instance: ProgramInstance,
    path: string,
  ): Result<number, ProgramError> => {
    const fd = loader.load(program, instance);
    if (!fd.ok) return fd;
    const pinned = pinObject(calls, fd.value, path);
    loader.release(fd.value);
    // A descriptor that the loader does not keep.
    const own = pinned.ok ? openPinnedObject(calls, path) : pinned;
    return own.ok ? own : err(toProgramError(program.name, `pinning it: ${renderBpfError(own.error)}`));
  };

  const remove = (pin: string): void => {
    rmSync(join(directory, pin), { force: true });
    held.release(pin);
  };

  /** Throws where the directory cannot be changed. */
  const replace = (
    program: BpfProgram,
    instance: ProgramInstance | undefined,
  ): Result<"adopted" | "attached", ProgramError> => {
    const subject = toSubject(program.name, instance?.name);
    const isOf = instance === undefined ? version : hash(version, renderInstance(instance));
    const [pin, pins] = [`${subject}-${isOf}`, findPins(subject)];
    const isCalled = instance?.attach.kind === "called";
    if (pins.includes(pin) && adopt(program, pin, isCalled)) return ok("adopted");
    // What is there stays in force until its successor is.
    const next = join(directory, `${subject}-${UNFINISHED}`);
    rmSync(next, { force: true });
    const attached = isCalled ? loadAndPin(program, instance, next) : attachAndPin(program, instance, next);
    if (!attached.ok) return attached;
    renameSync(next, join(directory, pin));
    held.hold(pin, attached.value);
    for (const old of pins) if (old !== pin) remove(old);
    return ok("attached");
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
    instances(template) {
      const start = `${template}-`;
      try {
        const names = readdirSync(directory)
          .filter((name) => name.startsWith(start) && /-[0-9a-f]{16}$/.test(name.slice(start.length)))
          .map((name) => name.slice(start.length, -17));
        return ok([...new Set(names)]);
      } catch (error) {
        return err(`cannot read ${directory}: ${describeError(error)}`);
      }
    },
    attach(name, instance) {
      const program = object.programs.find((one) => one.name === name);
      if (program === undefined) return err(toProgramError(name, "the object does not contain it"));
      try {
        return replace(program, instance);
      } catch (error) {
        return err(toProgramError(name, `pinning it: ${describeError(error)}`));
      }
    },
    findCalled: (name, instance) => held.find(toSubject(name, instance)),
    detach(name, instance) {
      try {
        for (const pin of findPins(toSubject(name, instance))) remove(pin);
        return ok(undefined);
      } catch (error) {
        return err(`program ${name}: detaching it: ${describeError(error)}`);
      }
    },
    keep: () =>
      held.keep(
        object.maps.flatMap(({ isPinned, spec: { name } }) => {
          const map = isPinned ? maps.get(name) : undefined;
          return map === undefined ? [] : [[name, map.fd] as const];
        }),
      ),
    close() {
      loader.close();
      held.close();
      for (const map of maps.values()) map.close();
    },
  };
}
