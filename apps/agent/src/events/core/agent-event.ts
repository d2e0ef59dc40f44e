// SPDX-License-Identifier: Apache-2.0
// What happened on the node, between the process cache and the messages for clients.

import type { AddressFacet, NumberFacet, RuleReport, TextFacet } from "@rthooks/policy";

export interface ProcessFacts {
  readonly pid: number;
  readonly tid: number;
  /**
   * Unix time: the begin of the program, or of the process where it has begun none itself. It stays what it is when the clock
   * of the node is set later.
   */
  readonly startTimeNs: bigint;
  readonly uid: number;
  readonly auid: number | undefined;
  readonly namespacePid: number | undefined;
  readonly binary: string;
  readonly arguments: string;
  readonly cwd: string;
  readonly flags: readonly string[];
  /** Base64 of "NODE:START:PID", with the start in nanoseconds since the boot. */
  readonly execId: string;
  readonly parentExecId: string;
  readonly refcnt: number;
  /** It comes from the first process of its container. */
  readonly inInitTree: boolean;
  readonly container: EventContainer | undefined;
}

/** What the main thread knows of a container. */
export interface EventContainer {
  readonly cgroupId: bigint;
  /** Of its root cgroup, below the root of the hierarchy. */
  readonly cgroupPath?: string;
  readonly id: string;
  /** As the kubelet names it in the status of pods, such as "containerd"; empty where no status was seen. */
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly startTimeMs: number | undefined;
  readonly pid: number | undefined;
  readonly podName: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly workload: string;
  readonly workloadKind: string;
}

/** `timeNs`: Unix time. */
export type AgentEvent =
  | {
      readonly kind: "exec";
      readonly timeNs: bigint;
      readonly process: ProcessFacts;
      readonly parent: ProcessFacts | undefined;
    }
  | {
      readonly kind: "exit";
      readonly timeNs: bigint;
      readonly process: ProcessFacts;
      readonly parent: ProcessFacts | undefined;
      readonly status: number;
      readonly signal: string;
    }
  | {
      readonly kind: "match";
      readonly timeNs: bigint;
      readonly process: ProcessFacts;
      readonly parent: ProcessFacts | undefined;
      readonly report: RuleReport;
      /** Of the report's hooks the one where it matched. */
      readonly hook: string;
      readonly action: MatchAction;
      readonly facts: MatchFacts;
    }
  | { readonly kind: "lost"; readonly timeNs: bigint; readonly count: bigint };

/** What was done; in monitor mode the would-be effect is not done: "post". */
export type MatchAction = "post" | "kill" | "signal" | "override";

/** The facets that are known. */
export interface MatchFacts {
  readonly numbers: Partial<Record<NumberFacet, bigint>>;
  readonly texts: Partial<Record<TextFacet, string>>;
  /** Of the texts that are not UTF-8. */
  readonly bytes?: Partial<Record<TextFacet, Uint8Array>>;
  readonly addresses: Partial<Record<AddressFacet, string>>;
}
