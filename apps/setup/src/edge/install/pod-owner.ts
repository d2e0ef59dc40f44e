// SPDX-License-Identifier: Apache-2.0
// The DaemonSet of this program's pod. It is watched, because at the end of the pod it may be too late to ask: `helm
// uninstall` deletes the right to read the DaemonSet right after the DaemonSet itself.

import { openApiClient, openKubeAccess, openObjectClient, watchResource } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { type DaemonSet, readDaemonSet, readNodeLabels } from "../../core/daemon-set.ts";
import { decideEnd, type End, type InstallPlace } from "../../core/decide-end.ts";

export interface PodOwner {
  /** Whether the files stay; asks the API server once more. */
  decide(place: InstallPlace): Promise<End>;
  close(): void;
}

interface PodOwnerOptions {
  /** NAMESPACE/NAME */
  readonly daemonSet: string;
  /** Empty: the node is not compared with the DaemonSet's node selector. */
  readonly nodeName: string;
  readonly version: string;
  readonly log: Logger;
}

/** A kubelet gives a pod 30 seconds to end. */
const TIMEOUT_MS = 3_000;

/** The error names the flag. */
export function openPodOwner({
  daemonSet,
  nodeName,
  version,
  log,
}: PodOwnerOptions): Result<PodOwner, string> {
  const [namespace = "", name = "", ...rest] = daemonSet.split("/");
  if (namespace === "" || name === "" || rest.length > 0) {
    return err(`--daemonset ${JSON.stringify(daemonSet)}: use NAMESPACE/NAME`);
  }
  const access = openKubeAccess({ path: "", flag: "--daemonset only in a pod", log });
  if (!access.ok) return err(`--daemonset: ${access.error}`);
  const client = openApiClient(access.value, `tetragon-oci-hook-setup/${version}`);
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets`;
  /** Undefined before the first answer. */
  let last: { readonly daemonSet: DaemonSet | undefined } | undefined;
  const watch = watchResource<DaemonSet>({
    ...{ client, log, path, fieldSelector: `metadata.name=${name}`, what: "DaemonSet", parse: readDaemonSet },
    onChange(change) {
      if (change.kind === "all") last = { daemonSet: change.objects[0] };
      else if (change.kind === "put") last = { daemonSet: change.object };
      else last = { daemonSet: undefined };
    },
  });
  const objects = openObjectClient(client, TIMEOUT_MS);

  const find = async (): Promise<typeof last> => {
    // The watch has seen its deletion: a DaemonSet that has the name now does not own this pod.
    if (last !== undefined && last.daemonSet === undefined) return last;
    const read = await objects.read(`${path}/${encodeURIComponent(name)}`);
    if (read.ok) {
      const found = read.value === undefined ? undefined : readDaemonSet(read.value);
      return read.value !== undefined && found === undefined ? last : { daemonSet: found };
    }
    log.warn("cannot read the DaemonSet of this pod", { daemonset: daemonSet, err: read.error.message });
    return last;
  };
  const findNode = async () => {
    if (nodeName === "") return undefined;
    const read = await objects.read(`/api/v1/nodes/${encodeURIComponent(nodeName)}`);
    const labels = read.ok ? readNodeLabels(read.value) : undefined;
    return labels === undefined ? undefined : { name: nodeName, labels };
  };

  return ok({
    async decide(place) {
      const found = await find();
      if (found === undefined) {
        return { keepsFiles: true, reason: "the API server does not say whether the DaemonSet is deleted" };
      }
      return decideEnd(found.daemonSet, place, await findNode());
    },
    close: watch.close,
  });
}
