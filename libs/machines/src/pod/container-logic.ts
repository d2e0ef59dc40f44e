// SPDX-License-Identifier: Apache-2.0
// What the container machine knows, and how events change it: pure.

import type { Cgroup, ContainerReport, Failure, PodIdentity } from "./domain.ts";

export interface ContainerContext {
  readonly report: ContainerReport;
  /** By the first report, like the time. */
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
  /** Its cgroup directory is no more. */
  | { readonly type: "cgroup.vanished" }
  /** The runtime says that it has ended, and no process is left in its cgroup. */
  | { readonly type: "container.stopped" }
  /** There are too many failed containers to remember this one. */
  | { readonly type: "failure.discarded" }
  /** The pod was deleted: the container may not start any more. One that runs goes on. */
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

/** As XState calls them. */
interface Args {
  readonly context: ContainerContext;
  readonly event: ContainerEvent;
}

export const containerReducers = {
  adoptReport: ({ context, event }: Args): Change =>
    event.type === "container.reported" ? { report: event.report, pod: event.pod ?? context.pod } : {},
  adoptPod: ({ event }: Args): Change => (event.type === "pod.identified" ? { pod: event.pod } : {}),
  adoptCgroup: ({ event }: Args): Change =>
    event.type === "cgroup.found" ? { cgroup: event.cgroup, failure: undefined } : {},
  adoptFailure: ({ event }: Args): Change => ("failure" in event ? { failure: event.failure } : {}),
  forgetCgroup: (): Change => ({ cgroup: undefined }),
  forgetFailure: (): Change => ({ failure: undefined }),
} as const; // const, so that the names stay literals

export const containerGuards = {
  knowsItsPod: ({ context }: Args): boolean => context.pod !== undefined,
  /** A late answer for a path that was reported earlier is nobody's answer. */
  answersReport: ({ context, event }: Args): boolean =>
    "cgroupsPath" in event && event.cgroupsPath === context.report.cgroupsPath,
  /** The usual repetition: a caller that did not hear the answer asks once more. */
  reportsNothingNew: ({ context, event }: Args): boolean =>
    event.type === "container.reported" &&
    (isInventoryOf(context, event.report) || isSameReport(context, event.report)),
  /** The list was made before the container ended: that is nobody's failure. */
  answersInventory: (args: Args): boolean =>
    runsAlready(args.context.report) && containerGuards.answersReport(args),
  findsSameCgroup: ({ context: { report, cgroup }, event }: Args): boolean =>
    event.type === "cgroup.found" &&
    event.cgroupsPath === report.cgroupsPath &&
    event.cgroup.id === cgroup?.id,
} as const; // const, so that the names stay literals

/** It runs already: nobody holds it, and nobody waits for an answer. */
export const runsAlready = ({ source }: ContainerReport): boolean => source !== "hook" && source !== "nri";

/** The list of what runs has less to say than the call that held the container. */
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
