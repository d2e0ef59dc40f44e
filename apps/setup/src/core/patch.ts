// SPDX-License-Identifier: Apache-2.0

export interface Patched {
  readonly text: string;
  /** For people, one line each: what the change does not cover, or could undo it. */
  readonly notes: readonly string[];
}
