// SPDX-License-Identifier: Apache-2.0

import type { BpfProgram } from "./bpf-object.ts";
import { CONSTANTS } from "./bpf-object.ts";

/** BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE, in the source register of a 64-bit load. */
const pseudo = { map: 1, value: 2 };

/** The instructions with the descriptors of their maps; undefined for a map that `findFd` does not have. */
export function linkInstructions(
  { instructions, references }: BpfProgram,
  findFd: (map: string) => number | undefined,
): Uint8Array | undefined {
  const linked = new Uint8Array(instructions);
  const view = new DataView(linked.buffer);
  for (const { instruction, map, offset } of references) {
    const fd = findFd(map);
    if (fd === undefined) return undefined;
    const at = instruction * 8;
    const isConstant = map === CONSTANTS;
    linked[at + 1] = ((linked[at + 1] ?? 0) & 0xf) | ((isConstant ? pseudo.value : pseudo.map) << 4);
    view.setInt32(at + 4, fd, true);
    view.setInt32(at + 12, isConstant ? offset : 0, true);
  }
  return linked;
}
