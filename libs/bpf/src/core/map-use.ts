// SPDX-License-Identifier: Apache-2.0

/** How full a map is. */
export interface MapUse {
  readonly entries: number;
  readonly capacity: number;
}
