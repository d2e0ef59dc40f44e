// SPDX-License-Identifier: Apache-2.0
// Events by name, and as the event mask of a subscription (containerd/nri pkg/api/event.go).

/** Events of every NRI version, in the order of their bits. A runtime ends the session for an unknown bit. */
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

/** From a method's name; undefined if it is not an event of every version. */
export const toEventName = (method: string): NriEventName | undefined =>
  isEventName(method) ? method : undefined;

/** From the number in a StateChange; undefined for an event of a later version. */
export const findEventName = (event: number): NriEventName | undefined => names[event - 1];

/** Of at least one event: 0 on the wire means all. */
export function toEventMask(events: readonly [NriEventName, ...NriEventName[]]): number {
  return events.reduce((mask, event) => mask | (1 << names.indexOf(event)), 0);
}

/** Whether the mask has at least one event, and only events of every version. */
export const isEventMask = (mask: number): boolean =>
  Number.isInteger(mask) && mask > 0 && mask < 1 << names.length;
