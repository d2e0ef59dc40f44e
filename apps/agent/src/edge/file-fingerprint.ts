// SPDX-License-Identifier: Apache-2.0

import { statSync } from "node:fs";
import { describeError } from "@rthooks/result";

/** Another one than before: the file that the path leads to is another, or was changed. Also where there is none. */
export function findFingerprint(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return describeError(error);
  }
}

/** Kernel timestamps are this coarse at worst. */
const timestampGrainMs = 20;

/** It may change again and look the same: what was read of it now has to be read once more. */
export function wasJustWritten(path: string): boolean {
  try {
    return Math.abs(Date.now() - statSync(path).ctimeMs) < timestampGrainMs;
  } catch {
    return false;
  }
}
