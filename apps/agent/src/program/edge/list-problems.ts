// SPDX-License-Identifier: Apache-2.0
// The problems of all parts of the agent, and which of them keep it from its work.

import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import type { HealthProblem } from "../../api/core/health.ts";
import type { HealthPart } from "../../base/core/health-part.ts";
import { describeDescriptorShortage } from "./descriptors.ts";

/** One line on what the part cannot do; empty where nothing is wrong. */
interface Part {
  problem(): string;
}

export interface ProblemSources {
  readonly filter: {
    readonly isInKernel: boolean;
    readonly isWanted: boolean;
    problems(): readonly string[];
  };
  readonly enforcement: { problems(): readonly string[] };
  readonly pods: Part & { isKnown(): boolean };
  readonly keptPolicies: Part;
  readonly policyFiles: Part;
  /** Undefined where policies do not come from the API server. */
  readonly policyWatch: { problems(): readonly string[] } | undefined;
  readonly cri: Part | undefined;
  readonly cgroups: Part;
  readonly directories: DirectoryWatch;
  readonly containers: Part;
  readonly plugin: Part;
  readonly hookLog: Part;
  readonly events: { problems(): readonly string[] };
  /** Undefined where TCP has no TLS. */
  readonly serverTls: Part | undefined;
  /** The limit of open descriptors of the process. */
  readonly descriptors: number;
}

export function listProblems(from: ProblemSources): readonly HealthProblem[] {
  const { filter, pods, directories } = from;
  // What was read once still counts when its source is lost: the agent can hold containers and answer. Only a filter that
  // the kernel does not have, pods that were never read, and a hierarchy without the containers' cgroups are more than that.
  const isUnenforced = filter.isWanted && !filter.isInKernel;
  return [
    ...toProblems("policy-filter", filter.problems(), isUnenforced),
    ...toProblems("enforcement", from.enforcement.problems()),
    ...toProblems("pods", [pods.problem()], !pods.isKnown()),
    ...toProblems("kept-policies", [from.keptPolicies.problem()]),
    ...toProblems("policy-files", [from.policyFiles.problem()]),
    ...toProblems("policies", from.policyWatch?.problems() ?? []),
    ...toProblems("cri", [from.cri?.problem() ?? ""]),
    ...toProblems("cgroups", [from.cgroups.problem()], true),
    ...toProblems("directory-watch", [describeWatchProblem(directories)]),
    ...toProblems("containers", [from.containers.problem()]),
    ...toProblems("nri-plugin", [from.plugin.problem()]),
    ...toProblems("hook-log", [from.hookLog.problem()]),
    ...toProblems("events", from.events.problems()),
    ...toProblems("server-tls", [from.serverTls?.problem() ?? ""]),
    ...toProblems("descriptors", [describeDescriptorShortage(from.descriptors)]),
  ];
}

function toProblems(
  part: HealthPart,
  texts: readonly string[],
  isBlocking = false,
): readonly HealthProblem[] {
  return texts.filter((text) => text !== "").map((text) => ({ part, text, isBlocking }));
}

function describeWatchProblem(directories: DirectoryWatch): string {
  const problem = directories.problem();
  return problem === "" ? "" : `changes of files are found late, by polling: ${problem}`;
}
