// SPDX-License-Identifier: Apache-2.0

import type { Labels } from "./reserved-annotations.ts";

/**
 * What kubelet (pkg/kubelet/kuberuntime/labels.go) and the runtimes put beside the pod's own labels. kubelet writes its
 * keys over what the pod may say there.
 */
const addedLabels: ReadonlySet<string> = new Set([
  "io.kubernetes.pod.name",
  "io.kubernetes.pod.namespace",
  "io.kubernetes.pod.uid",
  "io.kubernetes.container.name",
  "io.cri-containerd.kind",
]);

/** The pod's own labels, of those that its sandbox has at the runtime. */
export const toPodLabels = (ofSandbox: Labels): Labels =>
  new Map([...ofSandbox].filter(([key]) => !addedLabels.has(key)));
