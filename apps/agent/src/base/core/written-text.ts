// SPDX-License-Identifier: Apache-2.0

/** YAML or JSON as a call or a file has it: text, or bytes that should be UTF-8. */
export type WrittenText = string | Uint8Array;
