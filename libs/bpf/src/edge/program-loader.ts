// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { type BpfObject, type BpfProgram, CONSTANTS } from "../core/bpf-object.ts";
import { type Btf, btfKind } from "../core/btf.ts";
import { BPF_F_RDONLY_PROG } from "../core/commands.ts";
import { setKernelOffsets } from "../core/kernel-offsets.ts";
import { linkInstructions } from "../core/link-instructions.ts";
import { type ProgramError, toProgramError } from "../core/program-error.ts";
import type { BpfCalls } from "./bpf-call.ts";
import type { BpfMap } from "./bpf-map.ts";
import { loadProgram } from "./bpf-programs.ts";
import { readKernelBtf } from "./kernel-btf.ts";
import type { Bpf } from "./open-bpf.ts";

export interface ProgramLoader {
  /** The descriptor of the loaded program. */
  load(program: BpfProgram): Result<number, ProgramError>;
  /** Closes what programs have in common. */
  close(): void;
}

/** Loads programs of one object. The types of the kernel are read for those only that need them. */
export function createProgramLoader(
  calls: BpfCalls,
  bpf: Bpf,
  object: Pick<BpfObject, "constants" | "constantBytes" | "license">,
  maps: ReadonlyMap<string, BpfMap>,
): ProgramLoader {
  let constants: BpfMap | undefined;

  const findConstants = (kernel: Btf): Result<BpfMap, string> => {
    if (constants !== undefined) return ok(constants);
    const bytes = setKernelOffsets(object, kernel);
    if (!bytes.ok) return bytes;
    const map = createConstants(calls, bpf, bytes.value);
    if (map.ok) constants = map.value;
    return map;
  };

  /** The function that the program is attached to, and what its constants need. */
  const prepare = ({ attach, references }: BpfProgram): Result<number, string> => {
    const needsConstants = constants === undefined && references.some(({ map }) => map === CONSTANTS);
    if (!needsConstants && attach.kind !== "btf") return ok(0);
    const kernel = readKernelBtf();
    if (!kernel.ok) return kernel;
    const set = needsConstants ? findConstants(kernel.value) : ok(undefined);
    if (!set.ok) return set;
    if (attach.kind !== "btf") return ok(0);
    const id = kernel.value.find(btfKind.func, attach.symbol)?.id;
    return id === undefined ? err(`the kernel has no function ${attach.symbol}, or not in its BTF`) : ok(id);
  };

  return {
    load(program) {
      const btfId = prepare(program);
      if (!btfId.ok) return err(toProgramError(program.name, btfId.error));
      const instructions = linkInstructions(
        program,
        (name) => (name === CONSTANTS ? constants : maps.get(name))?.fd,
      );
      if (instructions === undefined)
        return err(toProgramError(program.name, "it uses a map that its object does not define"));
      return loadProgram(calls, program, { instructions, license: object.license, btfId: btfId.value });
    },
    close: () => constants?.close(),
  };
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
