// SPDX-License-Identifier: Apache-2.0
// The kernel's BPF for an agent that is killed between any two calls that change something.
import type { Bpf, BpfMap } from "@rthooks/bpf";

export class Killed extends Error {}

/** Calls into the kernel until the agent is killed; those of reading do not count. */
export interface Fuse {
  left: number;
}

function burn(fuse: Fuse): void {
  if (fuse.left <= 0) throw new Killed();
  fuse.left--;
}

/** The kernel's BPF, for as long as the fuse lasts. */
export function createMortal(real: Bpf, fuse: Fuse): Bpf {
  const wrap = (map: BpfMap): BpfMap => ({
    ...map,
    update: (...words) => {
      // A look whether the map takes others changes nothing.
      if (words[2] !== "exist") burn(fuse);
      return map.update(...words);
    },
    delete: (key) => {
      burn(fuse);
      return map.delete(key);
    },
    updateMany: (...words) => {
      burn(fuse);
      return map.updateMany(...words);
    },
    updateBatch: (...words) => {
      burn(fuse);
      return map.updateBatch(...words);
    },
    deleteMany: (keys) => {
      burn(fuse);
      return map.deleteMany(keys);
    },
    pin: (path) => {
      burn(fuse);
      const done = map.pin(path);
      // Between the pin and its renaming.
      burn(fuse);
      return done;
    },
  });
  const wrapped = <T extends BpfMap | undefined, E>(
    made: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E },
  ) => (made.ok && made.value !== undefined ? { ok: true as const, value: wrap(made.value) } : made);
  return {
    createMap: (spec) => {
      burn(fuse);
      return wrapped(real.createMap(spec));
    },
    createMapOfMaps: (...words) => {
      burn(fuse);
      return wrapped(real.createMapOfMaps(...words));
    },
    openPinned: (path) => wrapped(real.openPinned(path)),
    openById: (id) => wrapped(real.openById(id)),
    openDescriptor: (fd) => wrapped(real.openDescriptor(fd)),
    takesInner: (...words) => real.takesInner(...words),
  };
}
