// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import type { BpfObject } from "./bpf-object.ts";
import type { Btf } from "./btf.ts";
import { findFieldOffset } from "./btf-field.ts";

const PREFIX = "offset__";

/** What an OPTIONAL_OFFSET of bpf/path.h is set to in the object. */
const NO_OFFSET = 0xffffffff;

/**
 * The object's constants, with each `offset__STRUCT__FIELD__FIELD…` set to the offset of that field on this kernel. The
 * error names the field that it does not have, unless it is optional.
 */
export function setKernelOffsets(
  { constants, constantBytes }: Pick<BpfObject, "constants" | "constantBytes">,
  kernel: Btf,
): Result<Uint8Array, string> {
  const bytes = new Uint8Array(constantBytes);
  const view = new DataView(bytes.buffer);
  for (const { name, offset, size } of constants) {
    if (!name.startsWith(PREFIX)) continue;
    const [struct = "", ...path] = name.slice(PREFIX.length).split("__");
    const found = findFieldOffset(kernel, struct, path);
    const isOptional = offset + size <= bytes.length && view.getUint32(offset, true) === NO_OFFSET;
    if (found === undefined && isOptional) continue;
    if (found === undefined) return err(`the kernel has no field ${[struct, ...path].join(".")}`);
    if (size !== 4 || offset + size > bytes.length) return err(`${name} is not a constant of 4 bytes`);
    view.setUint32(offset, found, true);
  }
  return ok(bytes);
}
