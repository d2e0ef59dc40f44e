// SPDX-License-Identifier: Apache-2.0
// Checks one hook call and turns it into a container report: which container, in which pod, in which cgroup. Only the
// fields that the hook resolved are read. The annotations in the same message come from the pod's author and are ignored,
// except for the trusted fields.

import type { ContainerReport } from "@rthooks/machines/pod";
import { describeCgroupsPathError, expandCgroupsPath, POD_LABELS_KEY } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { findContainerId, findContainerPath } from "../../cgroups/core/container-path.ts";
import { findPodUid, normalisePodUid } from "../../cgroups/core/pod-uid.ts";
import { parsePodLabels, type TrustedFields, toReportSource } from "./trusted-fields.ts";

/** The fields of a CreateContainer message that the agent reads; empty where the hook had nothing. */
export interface HookRequest {
  readonly cgroupsPath: string;
  readonly containerName: string;
  readonly containerId: string;
  readonly containerImage: string;
  readonly podName: string;
  readonly podUid: string;
  readonly podNamespace: string;
  /** Undefined unless the sender guarantees that the pod's author did not write them. */
  readonly trusted: TrustedFields | undefined;
}

interface ParsedRequest {
  readonly report: ContainerReport;
  /** Which field of the request the report does not follow, and why: one line. Undefined where it follows all. */
  readonly correction: string | undefined;
}

/** runc's own rule for a container id (libcontainer/factory_linux.go), and room for no more than a file name. */
const containerIdPattern = /^[A-Za-z0-9_+.-]{1,255}$/;
/** A DNS subdomain's length (RFC 1123), the bound of Kubernetes on names; images are longer. */
const maxNameLength = 253;
const maxImageLength = 4096;
const noLabels = ok(undefined);

/**
 * `answerByMs`: when the caller stops waiting, Unix time in milliseconds. `arrivedMs`: when the call arrived, on the
 * monotonic clock.
 */
export function parseHookRequest(
  fields: HookRequest,
  seenAtNanos: bigint,
  answerByMs = Number.POSITIVE_INFINITY,
  arrivedMs: number | undefined = undefined,
): Result<ParsedRequest, Refusal> {
  const cgroupsPath = expandCgroupsPath(fields.cgroupsPath);
  if (!cgroupsPath.ok) {
    return refuse(`cgroupsPath ${quote(fields.cgroupsPath)} ${describeCgroupsPathError(cgroupsPath.error)}`);
  }
  const containerId = fields.containerId === "" ? findContainerId(cgroupsPath.value) : fields.containerId;
  if (!containerIdPattern.test(containerId) || containerId === "." || containerId === "..") {
    return refuse(
      `containerID ${quote(containerId)} is not a container id: only letters, digits and _+.- are allowed`,
    );
  }
  const place = findContainerPath(cgroupsPath.value, containerId);
  if (!place.ok) return place;
  const pathUid = findPodUid(place.value);
  const podUid = fields.podUid === "" ? ok(pathUid) : parsePodUid(fields.podUid);
  if (!podUid.ok) return podUid;
  // The kubelet names the pod's cgroup. Tetragon's hook reads the other fields from annotations and accepts the keys of
  // every runtime; keys that this node's runtime does not set may be set by the pod's author.
  const isForged = fields.trusted === undefined && pathUid !== undefined && podUid.value !== pathUid;
  for (const name of ["containerName", "podName", "podNamespace"] as const) {
    if (fields[name].length > maxNameLength) {
      return refuse(`${name} has ${fields[name].length} characters, more than ${maxNameLength}`);
    }
  }
  if (fields.containerImage.length > maxImageLength) {
    return refuse(
      `containerImage has ${fields.containerImage.length} characters, more than ${maxImageLength}`,
    );
  }
  const text = fields.trusted?.podLabels;
  const podLabels = text === undefined ? noLabels : parsePodLabels(text);
  if (!podLabels.ok) return refuse(`annotation ${POD_LABELS_KEY} ${podLabels.error}`);
  return ok({
    correction: isForged ? `podUID ${podUid.value} is not the pod ${pathUid} of cgroupsPath` : undefined,
    report: {
      containerId,
      containerName: fields.containerName,
      image: fields.containerImage,
      podUid: isForged ? pathUid : podUid.value,
      podNamespace: isForged ? "" : fields.podNamespace,
      podName: isForged ? "" : fields.podName,
      podLabels: podLabels.value,
      source: toReportSource(fields.trusted?.source),
      cgroupsPath: place.value,
      cgroup: undefined,
      answerByMs,
      seenAtNanos,
      arrivedMs,
    },
  });
}

/** What a refused request says of its container, for an explanation; undefined where it does not name one. */
export function toRefusedReport(
  fields: HookRequest,
  seenAtNanos: bigint,
  arrivedMs: number,
): ContainerReport | undefined {
  const { containerId } = fields;
  if (!containerIdPattern.test(containerId)) return undefined;
  return {
    containerId,
    containerName: orEmpty(fields.containerName, maxNameLength),
    image: orEmpty(fields.containerImage, maxImageLength),
    podUid: orEmpty(fields.podUid, maxNameLength),
    podNamespace: orEmpty(fields.podNamespace, maxNameLength),
    podName: orEmpty(fields.podName, maxNameLength),
    podLabels: undefined,
    source: toReportSource(fields.trusted?.source),
    cgroupsPath: orEmpty(fields.cgroupsPath, maxImageLength),
    cgroup: undefined,
    answerByMs: Number.POSITIVE_INFINITY,
    seenAtNanos,
    arrivedMs,
  };
}

/** Not a part of the text: it would keep the whole text in memory. */
const orEmpty = (text: string, maxLength: number): string => (text.length > maxLength ? "" : text);

function parsePodUid(text: string): Result<string, Refusal> {
  const uid = normalisePodUid(text);
  return uid === undefined ? refuse(`podUID ${quote(text)} is not a pod UID`) : ok(uid);
}

function refuse(message: string): Result<never, Refusal> {
  return err({ kind: "bad-request", message });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
