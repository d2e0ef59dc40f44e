// SPDX-License-Identifier: Apache-2.0
import type { Placed } from "./panels.ts";

/** A title and the panels below it. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Placed[];
}
