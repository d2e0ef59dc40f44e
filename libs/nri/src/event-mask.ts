// SPDX-License-Identifier: Apache-2.0
// Events by name, and as the mask that a plugin subscribes with (containerd/nri pkg/api/event.go).

/** Those that every version of NRI knows, in the order of their bits. A bit that a runtime does not know ends the session. */
const names = [
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
] as const;

export type NriEventName = (typeof names)[number];

const isEventName = (text: string): text is NriEventName => names.some((name) => name === text);

/** Of a method's name; undefined for one that is no event of every version. */
export const toEventName = (method: string): NriEventName | undefined =>
  isEventName(method) ? method : undefined;

/** Of the number in a StateChange; undefined for one of a later version. */
export const findEventName = (event: number): NriEventName | undefined => names[event - 1];

/** At least one event: 0 on the wire would mean all. */
export function toEventMask(events: readonly [NriEventName, ...NriEventName[]]): number {
  return events.reduce((mask, event) => mask | (1 << names.indexOf(event)), 0);
}

/** Whether a runtime of any version takes it for some events and not for all. */
export const isEventMask = (mask: number): boolean =>
  Number.isInteger(mask) && mask > 0 && mask < 1 << names.length;
