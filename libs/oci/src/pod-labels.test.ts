// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "bun:test";
import { toPodLabels } from "./pod-labels.ts";

test("labels that kubelet or a runtime adds to a sandbox are not the pod's", () => {
  const ofSandbox = new Map([
    ["app", "web"],
    ["io.kubernetes.pod.name", "web-1"],
    ["io.kubernetes.container.name", "POD"],
    ["io.cri-containerd.kind", "sandbox"],
    ["oci_runtime_type", "io.containerd.runc.v2"],
  ]);
  expect(toPodLabels(ofSandbox)).toEqual(new Map([["app", "web"]]));
});
