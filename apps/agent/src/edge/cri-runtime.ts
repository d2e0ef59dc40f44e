// SPDX-License-Identifier: Apache-2.0
// The container runtime's own word on what runs, by the Container Runtime Interface.

import { existsSync } from "node:fs";
import { Client, credentials, status } from "@grpc/grpc-js";
import { expandCgroupsPath, toPodLabels } from "@rthooks/oci";
import {
  ContainerState,
  type CriContainer,
  type PodSandbox,
  RuntimeServiceDefinition,
} from "@rthooks/proto/cri";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { RunningContainer } from "../core/running-container.ts";
import { callUnary } from "../wire/service.ts";

export interface CriRuntime {
  /** "unix:///run/containerd/containerd.sock" */
  readonly endpoint: string;
  /** The error is one line for people. */
  listRunning(): Promise<Result<readonly RunningContainer[], string>>;
  /** Where the runtime has put it, as a path below the root of the hierarchy; undefined where it does not say. */
  locate(containerId: string): Promise<string | undefined>;
  close(): void;
}

/** Where containerd, CRI-O and cri-dockerd listen. */
const usualSockets = ["/run/containerd/containerd.sock", "/run/crio/crio.sock", "/var/run/cri-dockerd.sock"];
const TIMEOUT_MS = 10_000;

/** `endpoint`: empty for the first of the usual ones that is there. The error is one line for people. */
export function openCriRuntime(endpoint: string): Result<CriRuntime, string> {
  const target = endpoint === "" ? findUsualEndpoint() : endpoint;
  if (target === undefined) {
    return err(`--enable-cri: none of ${usualSockets.join(", ")} is there: give --cri-endpoint`);
  }
  if (!/^unix:\/\/\/./.test(target)) {
    return err(`--cri-endpoint ${JSON.stringify(target)} is no unix:///path of a runtime's socket`);
  }
  const client = new Client(target, credentials.createInsecure(), {
    // A node's whole list may be larger than the default of 4 MB.
    "grpc.max_receive_message_length": -1,
    "grpc.enable_retries": 0,
    // The runtime's socket may be there again at any moment.
    "grpc.max_reconnect_backoff_ms": 2000,
  });
  const service = RuntimeServiceDefinition;
  const { listPodSandbox, listContainers, containerStatus } = service.methods;
  const deadline = (): Date => new Date(Date.now() + TIMEOUT_MS);

  return ok({
    endpoint: target,
    async listRunning() {
      const sandboxes = await callUnary(client, service, listPodSandbox, {}, deadline());
      if (!sandboxes.ok) return err(describe(target, sandboxes.error));
      const filter = { state: { state: ContainerState.CONTAINER_RUNNING } };
      const running = await callUnary(client, service, listContainers, { filter }, deadline());
      if (!running.ok) return err(describe(target, running.error));
      const byId = new Map(sandboxes.value.items.map((sandbox) => [sandbox.id, sandbox]));
      return ok(running.value.containers.flatMap((container) => toRunning(container, byId)));
    },
    async locate(containerId) {
      const request = { containerId, verbose: true };
      const answer = await callUnary(client, service, containerStatus, request, deadline());
      return answer.ok ? findCgroupsPath(answer.value.info.get("info") ?? "") : undefined;
    },
    close: () => client.close(),
  });
}

function findUsualEndpoint(): string | undefined {
  const found = usualSockets.find((path) => existsSync(path));
  return found === undefined ? undefined : `unix://${found}`;
}

const describe = (target: string, error: { readonly code: status; readonly details: string }): string =>
  error.code === status.UNIMPLEMENTED
    ? `what listens at ${target} has no CRI: is its plugin disabled?`
    : `the runtime at ${target}: ${error.details}`;

function toRunning(
  { id, podSandboxId, metadata, image, imageRef }: CriContainer,
  sandboxes: ReadonlyMap<string, PodSandbox>,
): readonly RunningContainer[] {
  const sandbox = sandboxes.get(podSandboxId);
  if (sandbox?.metadata === undefined) return [];
  const { uid, namespace, name } = sandbox.metadata;
  return [
    {
      id,
      name: metadata?.name ?? "",
      image: imageRef.includes("@") ? imageRef : (image?.image ?? ""),
      podUids: [uid],
      podNamespace: namespace,
      podName: name,
      podLabels: toPodLabels(sandbox.labels),
      learnedBy: "cri",
    },
  ];
}

const infoSchema = v.object({ runtimeSpec: v.object({ linux: v.object({ cgroupsPath: v.string() }) }) });

function findCgroupsPath(text: string): string | undefined {
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
