// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";

const here = import.meta.dir;

/** Shell lines that put played programs into tools/. */
export const playSystemctl: readonly string[] = [
  "mkdir -p tools",
  `install -m 0755 ${join(here, "systemctl.sh")} tools/systemctl`,
];

export const playCrictl: readonly string[] = [
  "mkdir -p tools",
  `printf '#!/bin/sh\\nexec ${process.execPath} ${join(here, "crictl.ts")} "$@"\\n' >tools/crictl`,
  "chmod 0755 tools/crictl",
];
