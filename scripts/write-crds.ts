// SPDX-License-Identifier: Apache-2.0
// Writes the CustomResourceDefinitions as the operator creates them, for the chart and for kubectl. With --check it writes
// nothing, and fails where a file is not what it would write.
import { podInfoCrd } from "../apps/operator/src/core/pod-info.ts";
import { tracingPolicyCrd, tracingPolicyNamespacedCrd } from "../libs/policy/src/crd/index.ts";
import { toYaml } from "../libs/terminal/src/core/to-yaml.ts";
import { writePages } from "./write-pages.ts";

const note = "# `make generate` writes this file from the schemas by which the programs validate.";

const files = [tracingPolicyCrd, tracingPolicyNamespacedCrd, podInfoCrd].map((crd) => {
  const { group, names } = crd.spec;
  return [`${group}_${names.plural}.yaml`, `${note}\n${toYaml(crd)}`] as const; // const: a pair
});
await writePages("install/kubernetes/tetragon/crds-yaml", new Map(files), "make generate");
