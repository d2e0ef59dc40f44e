// SPDX-License-Identifier: Apache-2.0

import { embedPrograms } from "./programs.macro.ts" with { type: "macro" };

const encoded = embedPrograms("enforce");

/** The compiled bpf/enforce.bpf.c. */
export const embeddedPrograms = (): Uint8Array => Uint8Array.fromBase64(encoded);
