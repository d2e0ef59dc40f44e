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
