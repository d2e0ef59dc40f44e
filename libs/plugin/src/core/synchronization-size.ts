// SPDX-License-Identifier: Apache-2.0
// Whether the runtime's next synchronization could list all pods and containers of the node. If it could not, a plugin
// that restarts would get no events, and every later container would start unheld. So the plugin denies the container
// that would make the synchronization too large.
//
// Source: containerd/nri pkg/adaptation/plugin.go (synchronize, recalcObjsPerSyncMsg), pkg/net/multiplex/mux.go.

/** The form of a synchronization: NRI before 0.7 sends one message, later versions send parts. */
export type SynchronizeStyle = "whole" | "parts";

/** Encoded sizes in bytes of the node's pod sandboxes and containers. */
export interface NodeSizes {
  readonly pods: readonly number[];
  readonly containers: readonly number[];
}

/** Limit of a write to the multiplexer (maxPayloadSize): a longer one fails with EMSGSIZE. */
const MAX_WHOLE_BYTES = 16 << 20;
/** All parts share one request timeout of the runtime, two seconds by default. */
const MAX_PARTS_BYTES = 64 << 20;
/** Limit of a ttrpc message (messageLengthMax): a longer synchronization is split into parts. */
const MAX_PART_BYTES = 4 << 20;
/** For service, method and metadata of the request. */
const REQUEST_BYTES = 4096;
/** Growth of a pod or container after its event: times, addresses, states. */
const GROWTH_BYTES = 1024;

/** Containers up to this size may use the reserve. */
const SMALL_BYTES = 32 << 10;
/** The reserve, in containers of SMALL_BYTES: larger containers must leave it free. */
const RESERVED_CONTAINERS = 64;

/** Encoded sizes in bytes of a new container, of a new pod sandbox, or of both. */
export interface AddedSizes {
  readonly containerBytes?: number | undefined;
  readonly newPodBytes?: number | undefined;
}

/** Whether a synchronization could list the node's pods and containers with these added. */
export function canAdd(
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
  // A small container is not the cause where the synchronization is too large without it.
  return canSynchronize({ pods, containers }, style) || !canSynchronize(node, style);
}

/** Assumes the worst order, with the largest first, since the order in which the runtime lists them is unknown. */
export function canSynchronize({ pods, containers }: NodeSizes, style: SynchronizeStyle): boolean {
  const podSums = sumLargest(pods);
  const containerSums = sumLargest(containers);
  /** The largest possible size of a message with so many pods and containers. */
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
  // With a part of no pod, while pods remain, the runtime repeats the same part until its timeout.
  return (
    bytes <= MAX_PART_BYTES &&
    podCount + containerCount > LEAST_OBJECTS &&
    podCount >= Math.min(2, pods.length) &&
    containerCount >= Math.min(2, containers.length)
  );
}

/** The runtime does not split a part of 8 pods and containers any further (minObjsPerMsg); one more for safety. */
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
