// SPDX-License-Identifier: Apache-2.0
// What the flags say, checked.

import type { FlagValues } from "@rthooks/flags";
import {
  type CustomResourceDefinition,
  tracingPolicyCrd,
  tracingPolicyNamespacedCrd,
} from "@rthooks/policy/crd";
import { err, ok, type Result } from "@rthooks/result";
import type { operatorFlags } from "./operator-flags.ts";
import { podInfoCrd } from "./pod-info.ts";

export interface OperatorOptions {
  /** Empty: none is created. */
  readonly crds: readonly CustomResourceDefinition[];
  readonly isForced: boolean;
  readonly keepsPodInfos: boolean;
  /** Undefined without leader election. */
  readonly election: ElectionOptions | undefined;
}

export interface ElectionOptions {
  /** Empty for that of the operator's pod. */
  readonly namespace: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** The error is one line that begins with a flag. */
export function toOperatorOptions(flags: FlagValues<typeof operatorFlags>): Result<OperatorOptions, string> {
  const policies = flags["skip-tracing-policy-crd"] ? [] : [tracingPolicyCrd, tracingPolicyNamespacedCrd];
  const keepsPodInfos = !flags["skip-pod-info-crd"];
  const all = keepsPodInfos ? [...policies, podInfoCrd] : policies;
  const election = {
    namespace: flags["leader-election-namespace"],
    leaseDurationMs: flags["leader-election-lease-duration"],
    renewDeadlineMs: flags["leader-election-renew-deadline"],
    retryMs: flags["leader-election-retry-period"],
  };
  // A lease has whole seconds.
  if (election.leaseDurationMs < 1000) return err("--leader-election-lease-duration must be at least 1s");
  if (election.leaseDurationMs <= election.renewDeadlineMs) {
    return err("--leader-election-lease-duration must be greater than --leader-election-renew-deadline");
  }
  if (election.renewDeadlineMs <= election.retryMs) {
    return err("--leader-election-renew-deadline must be greater than --leader-election-retry-period");
  }
  if (election.retryMs === 0) return err("--leader-election-retry-period must be greater than 0s");
  return ok({
    crds: flags["skip-crd-creation"] ? [] : all,
    isForced: flags["force-update-crds"],
    keepsPodInfos,
    election: flags["leader-election"] ? election : undefined,
  });
}
