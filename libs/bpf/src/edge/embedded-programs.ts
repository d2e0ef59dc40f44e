// SPDX-License-Identifier: Apache-2.0

import { embedPrograms } from "./programs.macro.ts" with { type: "macro" };

const encoded = embedPrograms("enforce");
const encodedProcess = embedPrograms("process");
const encodedHooks = embedPrograms("hooks");

/** The compiled bpf/enforce.bpf.c. */
export const embeddedPrograms = (): Uint8Array => Uint8Array.fromBase64(encoded);

/** The compiled bpf/process.bpf.c. */
export const embeddedProcessPrograms = (): Uint8Array => Uint8Array.fromBase64(encodedProcess);

/** The compiled bpf/hooks.bpf.c. */
export const embeddedHookPrograms = (): Uint8Array => Uint8Array.fromBase64(encodedHooks);
