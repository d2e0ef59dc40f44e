// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";

export const configFlags = {
  "config-dir": flag.string({
    usage: "directory with a file for each flag, named after it, as a ConfigMap is mounted (default: none)",
    placeholder: "DIR",
  }),
} as const; // const: each flag keeps its own kind
