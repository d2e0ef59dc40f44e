// SPDX-License-Identifier: Apache-2.0
// The pods of a made-up node.
import type { TestPod } from "../../tests/harness/kube-answers.ts";

export type NodePod = Required<Pick<TestPod, "uid" | "namespace" | "name" | "labels">>;

/** The same text for the same number, in the shape of a UID. */
const toUid = (number: number): string => {
  const hex = (number * 2_654_435_761).toString(16).padStart(12, "0").slice(-12);
  return `7d3c9a10-52be-4c1f-9b6e-${hex}`;
};

/** These run as long as the node does; their containers are replaced from time to time. */
export const services: readonly NodePod[] = [
  { namespace: "shop", name: "web-5c7d9f8b6-x2x4z", labels: { tier: "web" } },
  { namespace: "shop", name: "web-5c7d9f8b6-q8m1k", labels: { tier: "web" } },
  { namespace: "shop", name: "api-6f4b8d7c9-tt7vw", labels: { tier: "api" } },
  { namespace: "shop", name: "cache-0", labels: { tier: "cache" } },
  { namespace: "payments", name: "ledger-0", labels: { tier: "db" } },
].map((pod, at) => ({
  ...pod,
  uid: toUid(at + 1),
  labels: { ...pod.labels, "app.kubernetes.io/part-of": pod.namespace },
}));

/** The pod of one run of a job. */
export function createJobPod(number: number): NodePod {
  const name = `report-${number}`;
  const labels = { "batch.kubernetes.io/job-name": name };
  return { uid: toUid(100 + number), namespace: "batch", name, labels };
}
