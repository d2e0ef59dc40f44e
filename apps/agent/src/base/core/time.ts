// SPDX-License-Identifier: Apache-2.0

export interface Time {
  /** Unix time in milliseconds. */
  unixMs(): number;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Calls back once, later; gives the function that prevents it. */
  after(ms: number, callback: () => void): () => void;
}
