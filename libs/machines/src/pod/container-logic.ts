// SPDX-License-Identifier: Apache-2.0
// Context, events, guards and reducers of the container machine: pure functions.

import type { TransitionArgs } from "../table/machine-table.ts";
import type { Cgroup, ContainerReport, Failure, PodIdentity } from "./domain.ts";

export interface ContainerContext {
  readonly report: ContainerReport;
  /** Source and time of the first report: later reports do not change them. */
  readonly source: ContainerReport["source"];
  readonly reportedAtNanos: bigint;
  readonly pod: PodIdentity | undefined;
  readonly cgroup: Cgroup | undefined;
  readonly failure: Failure | undefined;
}

export interface ContainerInput {
  readonly report: ContainerReport;
  /** Undefined while the pod's identity is being resolved. */
  readonly pod: PodIdentity | undefined;
}

export type ContainerEvent =
  | {
      readonly type: "container.reported";
      readonly report: ContainerReport;
      readonly pod: PodIdentity | undefined;
    }
  | { readonly type: "pod.identified"; readonly pod: PodIdentity }
  | { readonly type: "identity.refused"; readonly failure: Failure }
  | { readonly type: "cgroup.found"; readonly cgroupsPath: string; readonly cgroup: Cgroup }
  | { readonly type: "cgroup.refused"; readonly cgroupsPath: string; readonly failure: Failure }
  | { readonly type: "filter.added" }
  | { readonly type: "filter.refused"; readonly failure: Failure }
  | { readonly type: "answer.sent" }
  /** The cgroup directory does not exist any more. */
  | { readonly type: "cgroup.vanished" }
  /** The runtime reported the end of the container, and its cgroup has no process. */
  | { readonly type: "container.stopped" }
  /** The record of failed containers is full, and this one is the oldest. */
  | { readonly type: "failure.discarded" }
  /** The pod was deleted: a container that has not started must not start. One that runs continues. */
  | { readonly type: "pod.deleted" };

export const toContainerContext = ({ report, pod }: ContainerInput): ContainerContext => ({
  report,
  source: report.source,
  reportedAtNanos: report.seenAtNanos,
  pod,
  cgroup: undefined,
  failure: undefined,
});

type Change = Partial<ContainerContext>;

type Args = TransitionArgs<ContainerContext, ContainerEvent>;

export const containerReducers = {
  setReport: ({ context, event }: Args): Change =>
    event.type === "container.reported" ? { report: event.report, pod: event.pod ?? context.pod } : {},
  setPod: ({ event }: Args): Change => (event.type === "pod.identified" ? { pod: event.pod } : {}),
  setCgroup: ({ event }: Args): Change =>
    event.type === "cgroup.found" ? { cgroup: event.cgroup, failure: undefined } : {},
  setFailure: ({ event }: Args): Change => ("failure" in event ? { failure: event.failure } : {}),
  clearCgroup: (): Change => ({ cgroup: undefined }),
  clearFailure: (): Change => ({ failure: undefined }),
} as const; // const, so that the names stay literals

export const containerGuards = {
  hasIdentity: ({ context }: Args): boolean => context.pod !== undefined,
  /** False for a late result of a lookup for the path of an earlier report. */
  isForCurrentPath: ({ context, event }: Args): boolean =>
    "cgroupsPath" in event && event.cgroupsPath === context.report.cgroupsPath,
  /** The usual repetition: a caller that did not get the answer calls again. */
  isRepeatedReport: ({ context, event }: Args): boolean =>
    event.type === "container.reported" &&
    (isInventoryOf(context, event.report) || isSameReport(context, event.report)),
  /** A list of running containers has it, and it ended after the list was made: this is not a failure. */
  isMissingListedContainer: (args: Args): boolean =>
    runsAlready(args.context.report) && containerGuards.isForCurrentPath(args),
  isSameCgroup: ({ context: { report, cgroup }, event }: Args): boolean =>
    event.type === "cgroup.found" &&
    event.cgroupsPath === report.cgroupsPath &&
    event.cgroup.id === cgroup?.id,
} as const; // const, so that the names stay literals

/** The container runs already: no caller holds it or waits for an answer. */
export const runsAlready = ({ source }: Pick<ContainerReport, "source">): boolean =>
  source !== "hook" && source !== "nri";

/** A list of running containers adds nothing to the hook call that held the container. */
function isInventoryOf({ cgroup }: ContainerContext, again: ContainerReport): boolean {
  return runsAlready(again) && again.cgroup !== undefined && again.cgroup.id === cgroup?.id;
}

function isSameReport({ report, cgroup }: ContainerContext, again: ContainerReport): boolean {
  return (
    again.cgroup !== undefined &&
    again.cgroup.id === cgroup?.id &&
    again.cgroupsPath === report.cgroupsPath &&
    again.containerName === report.containerName &&
    again.image === report.image &&
    again.podName === report.podName
  );
}
