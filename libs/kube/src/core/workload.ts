// SPDX-License-Identifier: Apache-2.0
// The workload that a pod says it belongs to, found as Tetragon finds it: from the pod alone.

import type { Labels } from "@rthooks/oci";

export interface Workload {
  readonly name: string;
  readonly kind: string;
}

interface PodOwner {
  readonly kind: string;
  readonly name: string;
  readonly isController: boolean;
}

interface OwnedPod {
  readonly name: string;
  /** Controllers set it; a pod without it was written by itself, or by the kubelet for a static pod. */
  readonly generateName: string;
  readonly labels: Labels;
  readonly owners: readonly PodOwner[];
}

/** Kubernetes' limits of a name (a DNS subdomain) and a kind (a DNS label). The API server does not check an owner's. */
const maxNameLength = 253;
const maxKindLength = 63;

/** A job of a CronJob has the scheduled time in minutes at its end (kubernetes pkg/controller/cronjob). */
const CRON_JOB = /^(.+)-\d{8,10}$/;

export function findWorkload({ name, generateName, labels, owners }: OwnedPod): Workload {
  const pod: Workload = { name, kind: "Pod" };
  const owner = generateName === "" ? undefined : owners.find(({ isController }) => isController);
  if (owner === undefined) return pod;
  const workload = findAbove(owner, labels);
  const isUsable = isBetween(workload.name, maxNameLength) && isBetween(workload.kind, maxKindLength);
  return isUsable ? workload : pod;
}

const isBetween = ({ length }: string, longest: number): boolean => length > 0 && length <= longest;

/** What has made the controller itself, where the names and labels tell. */
function findAbove({ name, kind }: PodOwner, labels: Labels): Workload {
  switch (kind) {
    case "ReplicaSet": {
      const hash = labels.get("pod-template-hash") ?? "";
      const isOfDeployment = hash !== "" && name.endsWith(`-${hash}`);
      return isOfDeployment ? { name: name.slice(0, -hash.length - 1), kind: "Deployment" } : { name, kind };
    }
    case "ReplicationController": {
      // OpenShift's.
      const config = labels.get("deploymentconfig") ?? "";
      return config === "" ? { name, kind } : { name: config, kind: "DeploymentConfig" };
    }
    case "Job": {
      const cronJob = name.length > maxNameLength ? undefined : CRON_JOB.exec(name)?.[1];
      return cronJob === undefined ? { name, kind } : { name: cronJob, kind: "CronJob" };
    }
    default:
      return { name, kind };
  }
}
