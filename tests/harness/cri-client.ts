// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { loadSync } from "protobufjs";

/** Where a pod's containers and its sandbox are; the same one must be given for all calls about one pod. */
export interface PodSandboxConfig {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string };
  readonly logDirectory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupParent: string;
    readonly securityContext: { readonly namespaceOptions: NamespaceOptions; readonly privileged?: boolean };
  };
}

/** Numbers of the interface's NamespaceMode. */
interface NamespaceOptions {
  readonly network: number;
  readonly pid: number;
}

interface ContainerMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly?: boolean;
  /** Numbers of the interface's MountPropagation. */
  readonly propagation?: number;
}

interface ContainerSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly privileged?: boolean;
  readonly capabilities?: {
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
  };
  readonly runAsUser?: { readonly value: number };
  readonly readonlyRootfs?: boolean;
  readonly noNewPrivs?: boolean;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt?: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly ContainerMount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly linux: { readonly securityContext: ContainerSecurityContext };
}

type ContainerState = "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";

interface ContainerStatus {
  readonly state: ContainerState;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

interface ListedContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly state: ContainerState;
}

/** Calls as the kubelet makes them. A refused one rejects with gRPC's error, whose `details` a user would see. */
export interface CriClient {
  version(): Promise<{ readonly runtimeName: string; readonly runtimeVersion: string }>;
  runPodSandbox(config: PodSandboxConfig, runtimeHandler?: string): Promise<string>;
  stopPodSandbox(sandboxId: string): Promise<void>;
  removePodSandbox(sandboxId: string): Promise<void>;
  /** The pod's IP address; empty in the host's network. */
  sandboxAddress(sandboxId: string): Promise<string>;
  listPodSandboxes(): Promise<readonly string[]>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Kills it at once by default. */
  stopContainer(id: string, timeoutS?: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  containerStatus(id: string): Promise<ContainerStatus>;
  listContainers(): Promise<readonly ListedContainer[]>;
  execSync(
    id: string,
    cmd: readonly string[],
  ): Promise<{ readonly stdout: string; readonly exitCode: number }>;
  hasImage(image: string): Promise<boolean>;
  close(): void;
}

const messages = loadSync(join(import.meta.dir, "cri.proto"));
/** Well above NRI's request timeout: the shorter of the two bounds the plugin's call. */
const deadlineMs = 30_000;

export function openCriClient(socketPath: string): CriClient {
  // Each client its own connection: after a restart of the runtime no other one's back-off is waited for.
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 200,
  });
  const call = <Reply>(
    method: string,
    request: object,
    types: { readonly request?: string; readonly reply?: string } = {},
    service = "RuntimeService",
  ): Promise<Reply> => {
    const requestType = messages.lookupType(`runtime.v1.${types.request ?? `${method}Request`}`);
    const replyType = messages.lookupType(`runtime.v1.${types.reply ?? `${method}Response`}`);
    return new Promise<Reply>((resolve, reject) => {
      client.makeUnaryRequest(
        `/runtime.v1.${service}/${method}`,
        (message: object) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
        // What cri.proto says of the reply, the callers below say as a type.
        (bytes) => replyType.toObject(replyType.decode(bytes), { defaults: true, enums: String }) as Reply,
        request,
        { deadline: Date.now() + deadlineMs },
        (error, reply) => (error === null && reply !== undefined ? resolve(reply) : reject(error)),
      );
    });
  };
  const aboutSandbox = (method: string, podSandboxId: string) =>
    call<void>(method, { podSandboxId }, { request: "PodSandboxRequest", reply: "Empty" });
  const aboutContainer = (method: string, containerId: string) =>
    call<void>(method, { containerId }, { request: "ContainerRequest", reply: "Empty" });
  return {
    version: () => call("Version", {}),
    runPodSandbox: async (config, runtimeHandler = "") =>
      (await call<{ podSandboxId: string }>("RunPodSandbox", { config, runtimeHandler })).podSandboxId,
    stopPodSandbox: (id) => aboutSandbox("StopPodSandbox", id),
    removePodSandbox: (id) => aboutSandbox("RemovePodSandbox", id),
    sandboxAddress: async (podSandboxId) => {
      const { status } = await call<{ status: { network: { ip: string } | null } }>(
        "PodSandboxStatus",
        { podSandboxId },
        { request: "PodSandboxRequest" },
      );
      return status.network?.ip ?? "";
    },
    listPodSandboxes: async () =>
      (await call<{ items: { id: string }[] }>("ListPodSandbox", {}, { request: "Empty" })).items.map(
        ({ id }) => id,
      ),
    createContainer: async (podSandboxId, config, sandboxConfig) =>
      (await call<{ containerId: string }>("CreateContainer", { podSandboxId, config, sandboxConfig }))
        .containerId,
    startContainer: (id) => aboutContainer("StartContainer", id),
    stopContainer: (containerId, timeout = 0) =>
      call<void>("StopContainer", { containerId, timeout }, { reply: "Empty" }),
    removeContainer: (id) => aboutContainer("RemoveContainer", id),
    containerStatus: async (containerId) =>
      (
        await call<{ status: ContainerStatus }>(
          "ContainerStatus",
          { containerId },
          { request: "ContainerRequest" },
        )
      ).status,
    listContainers: async () =>
      (await call<{ containers: ListedContainer[] }>("ListContainers", {}, { request: "Empty" })).containers,
    execSync: async (containerId, cmd) => {
      const { stdout, exitCode } = await call<{ stdout: Uint8Array; exitCode: number }>("ExecSync", {
        containerId,
        cmd,
        timeout: 10,
      });
      return { stdout: new TextDecoder().decode(stdout), exitCode };
    },
    hasImage: async (image) => {
      const { image: found } = await call<{ image: { id: string } | null }>(
        "ImageStatus",
        { image: { image } },
        {},
        "ImageService",
      );
      return found !== null;
    },
    close: () => client.close(),
  };
}
