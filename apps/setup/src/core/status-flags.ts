// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";

export const statusFlags = {
  "status-socket": flag.string({
    usage: "the --status-socket of the `install --daemonize` to ask",
    default: "/run/tetragon-oci-hook-setup.sock",
    placeholder: "FILE",
  }),
} as const;
