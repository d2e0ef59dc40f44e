// SPDX-License-Identifier: Apache-2.0
// What differs between the versions of NRI, as far as a plugin can see it.

export type NriVersion = "0.3" | "0.6" | "0.8" | "0.11" | "0.12";
export const nriVersions: readonly NriVersion[] = ["0.3", "0.6", "0.8", "0.11", "0.12"];

export interface NriBehaviour {
  /** A mask with another bit ends the session; 0 stands for all of them. */
  readonly validMask: number;
  /** Every event has a method; otherwise most come as StateChange. */
  readonly hasOwnMethods: boolean;
  readonly tellsTimeouts: boolean;
  readonly tellsVersion: boolean;
  readonly splitsSynchronize: boolean;
  /** Otherwise a plugin that failed to synchronize stays, and gets no events. */
  readonly closesAfterFailedSynchronize: boolean;
  readonly namePattern: RegExp;
}

export function findBehaviour(version: NriVersion): NriBehaviour {
  const minor = Number(version.split(".")[1]);
  return {
    validMask: minor >= 10 ? 0x3fff : 0x7ff,
    hasOwnMethods: minor >= 12,
    tellsTimeouts: minor >= 7,
    tellsVersion: minor >= 12,
    splitsSynchronize: minor >= 7,
    closesAfterFailedSynchronize: minor >= 12,
    namePattern: minor >= 12 ? /^[A-Za-z0-9_.+-]+$/ : /^.+$/s,
  };
}

/** Bit n-1 of the mask is event n. */
export const eventNames = [
  "RunPodSandbox",
  "StopPodSandbox",
  "RemovePodSandbox",
  "CreateContainer",
  "PostCreateContainer",
  "StartContainer",
  "PostStartContainer",
  "UpdateContainer",
  "PostUpdateContainer",
  "StopContainer",
  "RemoveContainer",
  "UpdatePodSandbox",
  "PostUpdatePodSandbox",
] as const;
export type EventName = (typeof eventNames)[number];

/** Events that had a method of their own from the beginning. */
export const isMethodOfEveryVersion = (event: EventName): boolean =>
  event === "CreateContainer" || event === "UpdateContainer" || event === "StopContainer";
