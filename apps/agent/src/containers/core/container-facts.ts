// SPDX-License-Identifier: Apache-2.0
// What the agent holds of one container, for its explanation.

import type { ContainerContext } from "@rthooks/machines/pod";
import type { HoldTimes } from "./hold-times.ts";

export interface ContainerFacts extends ContainerContext {
  /** State of the container's machine; empty for one whose report was refused before it had a machine. */
  readonly state: string;
  /** Undefined where nothing held it, or its start was held by an agent before this one. */
  readonly times: HoldTimes | undefined;
  /** When it ended or was refused: Unix time in milliseconds; undefined while it is on record. */
  readonly endedMs: number | undefined;
}
