// SPDX-License-Identifier: Apache-2.0
// The environment variable by which the NRI plugin passes the pod to the injected hook. Not an annotation, since a pod's
// author can write those, and not an argument, since `ps` shows arguments to every user.

import { err, ok, parseJsonObject, type Result } from "@rthooks/result";
import type { PodReference } from "./crio-identity.ts";
import { type Labels, renderLabels } from "./labels.ts";

/** Its value is JSON: {"uid": …, "name": …, "namespace": …, "labels": {…}}. */
export const POD_ENVIRONMENT = "RTHOOKS_POD";

/** Size of one environment string with its name and terminating zero (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h). */
export const MAX_ENVIRONMENT_BYTES = 131_072;

/** A pod as NRI describes it. */
export interface NriPod extends PodReference {
  readonly labels: Labels;
}

/** Renders `RTHOOKS_POD=…`; the error is its size in bytes if it exceeds the kernel's limit. */
export function renderPodEnvironment(pod: NriPod): Result<string, number> {
  const { uid, name, namespace } = pod;
  const head = JSON.stringify({ uid, name, namespace }).slice(0, -1);
  const text = `${POD_ENVIRONMENT}=${head},"labels":${renderLabels(pod.labels)}}`;
  const bytes = new TextEncoder().encode(text).length + 1;
  return bytes > MAX_ENVIRONMENT_BYTES ? err(bytes) : ok(text);
}

export interface PodFromEnvironment extends PodReference {
  /** A JSON object, which the agent parses and checks. */
  readonly labelsJson: string;
}

/** Parses the variable's value. The labels stay JSON, since the hook only passes them on. */
export function parsePodEnvironment(text: string): Result<PodFromEnvironment, string> {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return err(`is ${parsed.error}`);
  const { uid, name, namespace, labels } = parsed.value;
  if (typeof uid !== "string" || typeof name !== "string" || typeof namespace !== "string") {
    return err("lacks uid, name or namespace");
  }
  if (typeof labels !== "object" || labels === null) return err("lacks labels");
  return ok({ uid, name, namespace, labelsJson: JSON.stringify(labels) });
}
