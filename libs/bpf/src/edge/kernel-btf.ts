// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type Btf, parseBtf } from "../core/btf.ts";

const path = "/sys/kernel/btf/vmlinux";

/** They take time to read and memory to keep: programs that are loaded one after the other share them. */
let kept: WeakRef<Btf> | undefined;

/** The types of the running kernel: some MB, to be dropped after use. The error is one line. */
export function readKernelBtf(): Result<Btf, string> {
  const known = kept?.deref();
  if (known !== undefined) return ok(known);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return err(
      `the kernel's types are not available (it needs CONFIG_DEBUG_INFO_BTF): ${describeError(error)}`,
    );
  }
  const parsed = parseBtf(bytes);
  if (!parsed.ok) return err(`${path}: ${parsed.error}`);
  kept = new WeakRef(parsed.value);
  return parsed;
}
