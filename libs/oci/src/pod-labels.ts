// SPDX-License-Identifier: Apache-2.0

import type { Labels } from "./labels.ts";

/** Label keys that kubelet and containerd add to a sandbox. They overwrite a label of the pod under the same key. */
const addedLabels: ReadonlySet<string> = new Set([
  // kubelet, pkg/kubelet/kuberuntime/labels.go
  "io.kubernetes.pod.name",
  "io.kubernetes.pod.namespace",
  "io.kubernetes.pod.uid",
  "io.kubernetes.container.name",
  // containerd, internal/cri/labels/labels.go
  "io.cri-containerd.kind",
  // containerd since 2.3, internal/cri/server/podsandbox/sandbox_run.go
  "oci_runtime_type",
]);

/** The pod's own labels among those of its sandbox. */
export const toPodLabels = (ofSandbox: Labels): Labels =>
  new Map([...ofSandbox].filter(([key]) => !addedLabels.has(key)));
