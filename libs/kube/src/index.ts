// SPDX-License-Identifier: Apache-2.0
// Client of the Kubernetes API for an agent of one node: kubeconfig, lists and watches.

export { createBoundedDocument } from "./core/bounded-document.ts";
export type { ClusterAccess } from "./core/cluster-access.ts";
export { createJsonFilter, type Keep } from "./core/json-filter.ts";
export { findInClusterAccess, parseKubeconfig } from "./core/kubeconfig.ts";
export { type Pod, type PodContainer, podSchema, readPod } from "./core/pod.ts";
export { findProxy } from "./core/proxy.ts";
export type { ResourceChange } from "./core/watch-cursor.ts";
export { type ApiClient, openApiClient } from "./edge/api-client.ts";
export type { FindAccess } from "./edge/authorizer.ts";
export { type KubeNode, watchNode } from "./edge/node-watch.ts";
export { fetchPod, watchPods } from "./edge/pod-watch.ts";
export {
  type ResourceWatch,
  type WatchProgress,
  type WatchTiming,
  watchResource,
} from "./edge/resource-watch.ts";
