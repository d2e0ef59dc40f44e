// SPDX-License-Identifier: Apache-2.0
// Client of the Kubernetes API: access, lists, watches, writes.

export { createBoundedDocument } from "./core/bounded-document.ts";
export type { ClusterAccess } from "./core/cluster-access.ts";
export { createJsonFilter, type Keep } from "./core/json-filter.ts";
export { findInClusterAccess, parseKubeconfig } from "./core/kubeconfig.ts";
export { type Pod, type PodContainer, podSchema, readPod } from "./core/pod.ts";
export { findProxy } from "./core/proxy.ts";
export {
  createReconnectLine,
  type ReconnectClock,
  type ReconnectWindows,
} from "./core/reconnect-line.ts";
export type { ResourceChange } from "./core/watch-cursor.ts";
export { findWorkload } from "./core/workload.ts";
export { type ApiClient, openApiClient } from "./edge/api-client.ts";
export type { ApiError } from "./edge/api-error.ts";
export type { FindAccess } from "./edge/authorizer.ts";
export { openKubeAccess } from "./edge/kube-access.ts";
export { createLeaseLock, type LeaseLock, type LeaseOutcome } from "./edge/lease-lock.ts";
export { type KubeNode, watchNode } from "./edge/node-watch.ts";
export {
  CONFLICT,
  FORBIDDEN,
  type KubeObject,
  type ObjectClient,
  openObjectClient,
} from "./edge/object-client.ts";
export { fetchPod, watchPods } from "./edge/pod-watch.ts";
export {
  type ResourceWatch,
  type WatchProgress,
  type WatchTiming,
  watchResource,
} from "./edge/resource-watch.ts";
