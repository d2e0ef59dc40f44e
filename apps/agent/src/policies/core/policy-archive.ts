// SPDX-License-Identifier: Apache-2.0
// The port of the policy archive: policies that were added over gRPC, kept for the agent's next start.

import { err, ok, type Result } from "@rthooks/result";
import type { PolicyChange, PolicyName } from "./policy-store.ts";

export interface KeptPolicy {
  readonly domain: string;
  /** As the client sent it. */
  readonly yaml: string;
  readonly isEnabled: boolean;
  /** Undefined: the mode that the policy itself has. */
  readonly mode?: PolicyChange["mode"] | undefined;
}

/** A file that is written beside its place; a rename is all that is left to do. */
export interface PendingChange {
  /** The change is durable when this returns. */
  commit(): Result<void, string>;
  discard(): void;
}

/** Errors are one line. A kept policy changes with `commit` only, and not where that returns an error. */
export interface PolicyArchive {
  save(name: PolicyName, yaml: string): Result<PendingChange, string>;
  update(name: PolicyName, change: PolicyChange): Result<PendingChange, string>;
  remove(name: PolicyName): Result<void, string>;
  /** The paths of the kept policies. */
  list(): Result<readonly string[], string>;
  read(path: string): Result<KeptPolicy, string>;
}

const nothing: PendingChange = { commit: () => ok(undefined), discard: () => {} };

/** Keeps nothing. */
export const noPolicyArchive: PolicyArchive = {
  save: () => ok(nothing),
  update: () => ok(nothing),
  remove: () => ok(undefined),
  list: () => ok([]),
  read: () => err("policies are not kept"),
};
