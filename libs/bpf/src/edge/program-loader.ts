// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { type BpfObject, type BpfProgram, CONSTANTS } from "../core/bpf-object.ts";
import { btfKind } from "../core/btf.ts";
import { BPF_F_RDONLY_PROG } from "../core/commands.ts";
import { setKernelOffsets } from "../core/kernel-offsets.ts";
import { linkInstructions } from "../core/link-instructions.ts";
import { type ProgramError, toProgramError } from "../core/program-error.ts";
import { type ProgramInstance, renderProgram, setInstanceConstants } from "../core/program-instance.ts";
import type { BpfCalls } from "./bpf-call.ts";
import type { BpfMap } from "./bpf-map.ts";
import { loadProgram } from "./bpf-programs.ts";
import { readKernelBtf } from "./kernel-btf.ts";
import type { Bpf } from "./open-bpf.ts";

export interface ProgramLoader {
  /** The descriptor of the loaded program, to be given back. `instance`: of a template. */
  load(program: BpfProgram, instance?: ProgramInstance): Result<number, ProgramError>;
  /** Closes the descriptor, if it is not kept for the next instance of the same program. */
  release(fd: number): void;
  /** Does not keep the descriptor any more. */
  forget(fd: number): void;
  /** Closes what programs have in common, and what was kept. */
  close(): void;
}

/** Loaded programs that are not attached any more cost memory. */
const MAX_KEPT = 16;

/** Loads programs of one object. The types of the kernel are read for those only that need them. */
export function createProgramLoader(
  calls: BpfCalls,
  bpf: Bpf,
  object: Pick<BpfObject, "constants" | "constantBytes" | "license">,
  maps: ReadonlyMap<string, BpfMap>,
): ProgramLoader {
  /** By the program and what makes it another one: the verifier takes a second for each. */
  const kept = new Map<string, number>();
  /** With the offsets of this kernel. */
  let bytes: Uint8Array | undefined;
  /** Of the programs that are no templates. */
  let common: BpfMap | undefined;

  const findBytes = (): Result<Uint8Array, string> => {
    if (bytes !== undefined) return ok(bytes);
    const kernel = readKernelBtf();
    const set = kernel.ok ? setKernelOffsets(object, kernel.value) : kernel;
    if (set.ok) bytes = set.value;
    return set;
  };

  const keep = (key: string, fd: number): void => {
    const [oldest] = kept;
    if (kept.size === MAX_KEPT && oldest !== undefined) {
      kept.delete(oldest[0]);
      calls.close(oldest[1]);
    }
    kept.set(key, fd);
  };

  const openConstants = (instance: ProgramInstance | undefined): Result<BpfMap, string> => {
    if (instance === undefined && common !== undefined) return ok(common);
    const found = findBytes();
    if (!found.ok) return found;
    if (instance !== undefined)
      return createConstants(calls, bpf, setInstanceConstants(object.constants, found.value, instance));
    const map = createConstants(calls, bpf, found.value);
    if (map.ok) common = map.value;
    return map;
  };

  const link = (program: BpfProgram, constants: BpfMap | undefined): Result<number, ProgramError> => {
    const instructions = linkInstructions(
      program,
      (name) => (name === CONSTANTS ? constants : maps.get(name))?.fd,
    );
    if (instructions === undefined)
      return err(toProgramError(program.name, "it uses a map that its object does not define"));
    const btfId = findBtfId(program);
    if (!btfId.ok) return err(toProgramError(program.name, btfId.error));
    return loadProgram(calls, program, { instructions, license: object.license, btfId: btfId.value });
  };

  return {
    load(template, instance) {
      const key = instance && `${template.name} ${renderProgram(instance)}`;
      const found = key === undefined ? undefined : kept.get(key);
      if (found !== undefined) return ok(found);
      const program = { ...template, attach: instance?.attach ?? template.attach };
      if (!program.references.some(({ map }) => map === CONSTANTS)) return link(program, undefined);
      const constants = openConstants(instance);
      if (!constants.ok) return err(toProgramError(program.name, constants.error));
      const loaded = link(program, constants.value);
      if (key === undefined) return loaded;
      // The program keeps its own.
      constants.value.close();
      if (loaded.ok) keep(key, loaded.value);
      return loaded;
    },
    release(fd) {
      if (![...kept.values()].includes(fd)) calls.close(fd);
    },
    forget(fd) {
      for (const [key, other] of kept) if (other === fd) kept.delete(key);
    },
    close() {
      common?.close();
      for (const fd of kept.values()) calls.close(fd);
      kept.clear();
    },
  };
}

/** The function in the kernel's BTF that the program is attached to, or 0. */
function findBtfId({ attach }: BpfProgram): Result<number, string> {
  if (attach.kind !== "btf") return ok(0);
  const kernel = readKernelBtf();
  if (!kernel.ok) return kernel;
  const id = kernel.value.find(btfKind.func, attach.symbol)?.id;
  return id === undefined ? err(`the kernel has no function ${attach.symbol}, or not in its BTF`) : ok(id);
}

/** Nothing can write it after this call, so that the verifier takes its values as known. */
function createConstants(calls: BpfCalls, bpf: Bpf, bytes: Uint8Array): Result<BpfMap, string> {
  const map = bpf.createMap({
    ...{ type: "array", name: "constants", keySize: 4, maxEntries: 1 },
    ...{ valueSize: bytes.length, flags: BPF_F_RDONLY_PROG },
  });
  if (!map.ok) return err(renderBpfError(map.error));
  const attr = new Uint8Array(4);
  new DataView(attr.buffer).setUint32(0, map.value.fd, true);
  const written = map.value.update(new Uint8Array(4), bytes);
  const frozen = written.ok ? calls.bpf("MAP_FREEZE", "constants", attr) : written;
  if (frozen.ok) return map;
  map.value.close();
  return err(renderBpfError(frozen.error));
}
