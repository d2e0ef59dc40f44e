// SPDX-License-Identifier: Apache-2.0
// What the programs in the kernel do for a policy on this node.

export interface PolicyEnforcement {
  /** What carries out its rules: "prevented by lsm", "signalled: the call completes", or both with a comma. */
  readonly mechanism: string;
  /** Undefined where they cannot be read. */
  readonly counts: EnforcementCounts | undefined;
}

/** Of all processes on the node, since the rules of the policy came into force. */
export interface EnforcementCounts {
  /** Events that a selector of the policy matched. */
  readonly matches: number;
  /** Calls that failed. */
  readonly denials: number;
  /** Signals to processes. */
  readonly signals: number;
  /** Denials and signals that were left out: the policy is in monitor mode. */
  readonly withheld: number;
}

export interface EnforcedPolicy extends PolicyEnforcement {
  readonly name: string;
  /** Empty for a cluster-wide policy. */
  readonly namespace: string;
  readonly domain: string;
  readonly mode: string;
}

/** "12 matches, 12 denials" */
export function describeCounts(counts: EnforcementCounts | undefined): string {
  if (counts === undefined) return "counts cannot be read";
  const { matches, denials, signals, withheld } = counts;
  return [
    renderCount(matches, "match", "matches"),
    ...(denials > 0 ? [renderCount(denials, "denial", "denials")] : []),
    ...(signals > 0 ? [renderCount(signals, "signal", "signals")] : []),
    ...(withheld > 0 ? [`${withheld.toLocaleString("en")} withheld in monitor mode`] : []),
  ].join(", ");
}

const renderCount = (count: number, one: string, more: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
