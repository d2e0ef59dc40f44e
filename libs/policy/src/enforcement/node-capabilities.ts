// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";

/** The error says in one line why the node does not run such programs. */
type Ability = Result<void, string>;

/** The programs that a node runs. */
export interface NodeCapabilities {
  readonly lsm: Ability;
  /** LSM hooks for which there are programs. */
  readonly lsmHooks: ReadonlySet<string>;
  /** On sockets, for all cgroups. */
  readonly cgroupProgram: Ability;
  readonly rawTracepoint: Ability;
  readonly tracepoint: Ability;
  readonly kprobe: Ability;
}
