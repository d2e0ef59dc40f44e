// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describeError, err, type Result } from "@rthooks/result";
import { type Btf, parseBtf } from "../core/btf.ts";

const path = "/sys/kernel/btf/vmlinux";

/** The types of the running kernel: some MB, to be dropped after use. The error is one line. */
export function readKernelBtf(): Result<Btf, string> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return err(
      `the kernel's types are not available (it needs CONFIG_DEBUG_INFO_BTF): ${describeError(error)}`,
    );
  }
  const parsed = parseBtf(bytes);
  return parsed.ok ? parsed : err(`${path}: ${parsed.error}`);
}
