// SPDX-License-Identifier: Apache-2.0
// Whether a runtime could describe all its pods and containers to a plugin that starts again. Where it could not, the
// plugin would get no events, and every later container would start unheld: the container that would make the
// description too large must not start.
//
// Source: containerd/nri pkg/adaptation/plugin.go (synchronize, recalcObjsPerSyncMsg), pkg/net/multiplex/mux.go.

/** How the runtime sends a synchronization: NRI before 0.7 in one message, later versions in parts. */
export type SynchronizeStyle = "whole" | "parts";

/** Encoded sizes in bytes of what a node runs. */
export interface NodeSizes {
  readonly pods: readonly number[];
  readonly containers: readonly number[];
}

/** A write to the multiplexer (maxPayloadSize): a longer one fails with EMSGSIZE. */
const MAX_WHOLE_BYTES = 16 << 20;
/** All parts have the runtime's one request timeout together, two seconds by default. */
const MAX_PARTS_BYTES = 64 << 20;
/** A message of ttrpc (messageLengthMax): a longer one is not sent, and the synchronization is cut into parts. */
const MAX_PART_BYTES = 4 << 20;
/** For service, method and metadata of the request. */
const REQUEST_BYTES = 4096;
/** How much longer the description of a pod or container may be than it was in an event: times, addresses, states. */
const GROWTH_BYTES = 1024;

/** Below this size a container may use the room that is kept free. */
const SMALL_BYTES = 32 << 10;
/** Small containers for which the large ones leave room. */
const RESERVED_CONTAINERS = 64;

/** Encoded sizes in bytes of a container that is to start, of a pod that is new, or of both. */
export interface AddedSizes {
  readonly containerBytes?: number | undefined;
  readonly newPodBytes?: number | undefined;
}

/** Whether the runtime could describe the node with these added to it. */
export function hasRoomFor(
  { containerBytes, newPodBytes }: AddedSizes,
  node: NodeSizes,
  style: SynchronizeStyle,
): boolean {
  const pods = newPodBytes === undefined ? node.pods : [...node.pods, newPodBytes];
  const containers =
    containerBytes === undefined ? [...node.containers] : [...node.containers, containerBytes];
  if ((containerBytes ?? 0) + (newPodBytes ?? 0) > SMALL_BYTES) {
    for (let n = 0; n < RESERVED_CONTAINERS; n++) containers.push(SMALL_BYTES);
    return canSynchronize({ pods, containers }, style);
  }
  // Where there is no room even without it, a small one changes nothing: others are the cause.
  return canSynchronize({ pods, containers }, style) || !canSynchronize(node, style);
}

/** Errs towards no: the order in which a runtime lists its pods and containers is not known. */
export function canSynchronize({ pods, containers }: NodeSizes, style: SynchronizeStyle): boolean {
  const podSums = sumLargest(pods);
  const containerSums = sumLargest(containers);
  /** Of a message with so many pods and containers, at most. */
  const measure = (podCount: number, containerCount: number): number =>
    (podSums[podCount] ?? 0) + (containerSums[containerCount] ?? 0) + REQUEST_BYTES;

  let [podCount, containerCount] = [pods.length, containers.length];
  if (style === "whole") return measure(podCount, containerCount) <= MAX_WHOLE_BYTES;
  let bytes = measure(podCount, containerCount);
  if (bytes <= MAX_PART_BYTES) return true;
  if (bytes > MAX_PARTS_BYTES) return false;
  while (bytes > MAX_PART_BYTES && podCount + containerCount > LEAST_OBJECTS) {
    const factor = Math.min(MAX_PART_BYTES / bytes, 0.9);
    podCount = Math.floor(podCount * factor);
    containerCount = Math.floor(containerCount * factor);
    bytes = measure(podCount, containerCount);
  }
  // A part that has come down to no pod while there are pods is sent again and again until the time is over.
  return (
    bytes <= MAX_PART_BYTES &&
    podCount + containerCount > LEAST_OBJECTS &&
    podCount >= Math.min(2, pods.length) &&
    containerCount >= Math.min(2, containers.length)
  );
}

/** A runtime does not cut a part of so few pods and containers any further (minObjsPerMsg, 8), with some distance. */
const LEAST_OBJECTS = 9;

/** At index n: the size of the n largest together. */
function sumLargest(sizes: readonly number[]): readonly number[] {
  const sums = [0];
  let sum = 0;
  for (const size of sizes.toSorted((a, b) => b - a)) {
    sum += size + GROWTH_BYTES;
    sums.push(sum);
  }
  return sums;
}
