// SPDX-License-Identifier: Apache-2.0
// The port of the programs in the kernel: loading one takes up to a second, so all of it is done beside the main thread.

import type { HookPoint, NodeCapabilities } from "@rthooks/policy";
import type { Result } from "@rthooks/result";

/** Calls are carried out one after the other. Errors are one line. */
export interface AttachedPrograms {
  capabilities(): Promise<Result<NodeCapabilities, string>>;
  /** The hook's number, as HookPrograms.attach. */
  attach(hook: HookPoint): Promise<Result<number, string>>;
  /** Detaches programs of all other hooks, as HookPrograms.detachUnused. */
  detachUnused(used: ReadonlySet<number>): Promise<Result<void, string>>;
}
