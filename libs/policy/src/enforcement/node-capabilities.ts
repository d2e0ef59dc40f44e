// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";
import type { AddressFacet, NumberFacet, TextFacet } from "./kernel-rule.ts";

/** The error says in one line why the node does not run such programs. */
type Ability = Result<void, string>;

/** The programs that a node runs. */
export interface NodeCapabilities {
  readonly lsm: Ability;
  /** LSM hooks for which there are programs, and what these know of an event. */
  readonly lsmHooks: ReadonlyMap<string, ReadonlySet<NumberFacet | TextFacet | AddressFacet>>;
  /** On sockets, for all cgroups. */
  readonly cgroupProgram: Ability;
  readonly rawTracepoint: Ability;
  readonly tracepoint: Ability;
  readonly kprobe: Ability;
}
