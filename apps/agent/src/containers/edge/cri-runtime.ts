// SPDX-License-Identifier: Apache-2.0
// The container runtime's own word on what runs, by the Container Runtime Interface.

import { existsSync } from "node:fs";
import { Client, connectivityState, credentials } from "@grpc/grpc-js";
import { expandCgroupsPath, toPodLabels } from "@rthooks/oci";
import {
  ContainerState,
  type CriContainer,
  type PodSandbox,
  RuntimeServiceDefinition,
} from "@rthooks/proto/cri";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { callUnary } from "../../base/wire/service.ts";
import type { RunningContainer } from "../core/running-container.ts";

export interface CriRuntime {
  /** "unix:///run/containerd/containerd.sock"; empty while no runtime answers. */
  endpoint(): string;
  /** From the runtime that answered last; else from the first that does. The error is one line for people. */
  listRunning(): Promise<Result<readonly RunningContainer[], string>>;
  /** Where the runtime has put it, as a path below the root of the hierarchy; undefined where it does not say. */
  locate(containerId: string): Promise<string | undefined>;
  close(): void;
}

export interface CriOptions {
  /** Empty for the first of `usualSockets` with a runtime behind it. */
  readonly endpoint: string;
  readonly usualSockets?: readonly string[];
  /** The connection over which the last list came has ended. */
  onLost(): void;
}

/** Where containerd, CRI-O and cri-dockerd listen. */
const wellKnownSockets = [
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/var/run/cri-dockerd.sock",
];
const TIMEOUT_MS = 10_000;

interface Connection {
  readonly endpoint: string;
  readonly client: Client;
}

const service = RuntimeServiceDefinition;
const { listPodSandbox, listContainers, containerStatus } = service.methods;
const deadline = (): Date => new Date(Date.now() + TIMEOUT_MS);

/** The runtime may come at any time, and go. The error is one line for people: the endpoint can be none. */
export function openCriRuntime(options: CriOptions): Result<CriRuntime, string> {
  const { endpoint, usualSockets = wellKnownSockets, onLost } = options;
  if (endpoint !== "" && !/^unix:\/\/\/./.test(endpoint)) {
    return err(`--cri-endpoint ${JSON.stringify(endpoint)} is no unix:///path of a runtime's socket`);
  }
  let current: Connection | undefined;
  let isClosed = false;

  const disconnect = (connection: Connection): void => {
    if (current === connection) current = undefined;
    connection.client.close();
  };

  const list = async (connection: Connection): Promise<Result<readonly RunningContainer[], string>> => {
    const running = await listRunning(connection);
    // A new connection does not wait for the time after which a broken one is tried again.
    if (!running.ok || isClosed) disconnect(connection);
    else if (current !== connection) {
      current = connection;
      const channel = connection.client.getChannel();
      channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
        if (current === connection) onLost();
      });
    }
    return running;
  };

  return ok({
    endpoint: () => current?.endpoint ?? "",
    async listRunning() {
      const errors: string[] = [];
      if (current !== undefined) {
        const running = await list(current);
        if (running.ok) return running;
      }
      const found = usualSockets.filter((path) => existsSync(path)).map((path) => `unix://${path}`);
      for (const target of endpoint === "" ? found : [endpoint]) {
        const running = await list(connect(target));
        if (running.ok || isClosed) return running;
        errors.push(running.error);
      }
      return errors.length > 0
        ? err(errors.join("; "))
        : err(`none of ${usualSockets.join(", ")} is there: start the runtime, or give --cri-endpoint`);
    },
    async locate(containerId) {
      if (current === undefined) return undefined;
      const request = { containerId, verbose: true };
      const answer = await callUnary(current.client, service, containerStatus, request, deadline());
      return answer.ok ? findCgroupsPath(answer.value.info.get("info") ?? "") : undefined;
    },
    close() {
      isClosed = true;
      if (current !== undefined) disconnect(current);
    },
  });
}

const connect = (endpoint: string): Connection => ({
  endpoint,
  client: new Client(endpoint, credentials.createInsecure(), {
    // A node's whole list may be larger than the default of 4 MB: containerd sends up to 16 MB, CRI-O up to 80.
    "grpc.max_receive_message_length": 128 * 1024 * 1024,
    "grpc.enable_retries": 0,
  }),
});

async function listRunning({
  endpoint,
  client,
}: Connection): Promise<Result<readonly RunningContainer[], string>> {
  const sandboxes = await callUnary(client, service, listPodSandbox, {}, deadline());
  if (!sandboxes.ok) return err(describe(endpoint, sandboxes.error));
  const filter = { state: { state: ContainerState.CONTAINER_RUNNING } };
  const running = await callUnary(client, service, listContainers, { filter }, deadline());
  if (!running.ok) return err(describe(endpoint, running.error));
  const byId = new Map(sandboxes.value.items.map((sandbox) => [sandbox.id, sandbox]));
  return ok(running.value.containers.flatMap((container) => toRunning(container, byId)));
}

const describe = (target: string, error: { readonly code: GrpcCode; readonly details: string }): string =>
  error.code === grpcCode.unimplemented
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
