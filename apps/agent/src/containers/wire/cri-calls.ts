// SPDX-License-Identifier: Apache-2.0
// The calls of the Container Runtime Interface (runtime.v1.RuntimeService) that the agent makes.

import type { Client, ServiceError } from "@grpc/grpc-js";
import { expandCgroupsPath, toPodLabels } from "@rthooks/oci";
import {
  ContainerState,
  type CriContainer,
  type PodSandbox,
  RuntimeServiceDefinition as service,
} from "@rthooks/proto/cri";
import { ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { callUnary } from "../../base/wire/service.ts";
import type { RunningContainer } from "../core/running-container.ts";

const { version, listPodSandbox, listContainers, containerStatus } = service.methods;
const maxNameLength = 100;
const onlyRunning = { filter: { state: { state: ContainerState.CONTAINER_RUNNING } } };

export async function listRunningContainers(
  client: Client,
  deadline: Date,
): Promise<Result<readonly RunningContainer[], ServiceError>> {
  const sandboxes = await callUnary(client, service, listPodSandbox, {}, deadline);
  if (!sandboxes.ok) return sandboxes;
  const running = await callUnary(client, service, listContainers, onlyRunning, deadline);
  if (!running.ok) return running;
  const sandboxOf = new Map(sandboxes.value.items.map((sandbox) => [sandbox.id, sandbox]));
  return ok(running.value.containers.flatMap((container) => toRunningContainer(container, sandboxOf)));
}

/** "containerd 2.1.9"; undefined where the runtime does not say it. */
export async function fetchRuntimeName(client: Client, deadline: Date): Promise<string | undefined> {
  const answer = await callUnary(client, service, version, {}, deadline);
  if (!answer.ok || answer.value.runtimeName === "") return undefined;
  const { runtimeName, runtimeVersion } = answer.value;
  return `${runtimeName} ${runtimeVersion}`.trim().slice(0, maxNameLength);
}

/** The container's cgroup below the root of the hierarchy; undefined where the runtime does not say it. */
export async function fetchCgroupsPath(
  client: Client,
  containerId: string,
  deadline: Date,
): Promise<string | undefined> {
  const request = { containerId, verbose: true };
  const answer = await callUnary(client, service, containerStatus, request, deadline);
  return answer.ok ? readCgroupsPath(answer.value.info.get("info") ?? "") : undefined;
}

/** Empty for a container without a sandbox, or whose sandbox is of no pod. */
function toRunningContainer(
  { id, podSandboxId, metadata, image, imageRef }: CriContainer,
  sandboxOf: ReadonlyMap<string, PodSandbox>,
): readonly RunningContainer[] {
  const sandbox = sandboxOf.get(podSandboxId);
  if (sandbox?.metadata === undefined) return [];
  const { uid, namespace, name } = sandbox.metadata;
  return [
    {
      containerId: id,
      containerName: metadata?.name ?? "",
      image: imageRef.includes("@") ? imageRef : (image?.image ?? ""),
      podUids: [uid],
      podNamespace: namespace,
      podName: name,
      podLabels: toPodLabels(sandbox.labels),
      source: "cri",
    },
  ];
}

const infoSchema = v.object({ runtimeSpec: v.object({ linux: v.object({ cgroupsPath: v.string() }) }) });

/** `text`: the verbose status of containerd and CRI-O, a JSON object with the container's OCI runtime spec. */
function readCgroupsPath(text: string): string | undefined {
  let info: unknown;
  try {
    info = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(infoSchema, info);
  if (!parsed.success) return undefined;
  const path = expandCgroupsPath(parsed.output.runtimeSpec.linux.cgroupsPath);
  return path.ok ? path.value : undefined;
}
