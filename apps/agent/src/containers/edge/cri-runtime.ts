// SPDX-License-Identifier: Apache-2.0
// A connection to the container runtime, over the Container Runtime Interface.

import { existsSync } from "node:fs";
import { Client, connectivityState, credentials } from "@grpc/grpc-js";
import { parseAddress, renderAddress } from "@rthooks/net";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { RunningContainer } from "../core/running-container.ts";
import { fetchCgroupsPath, fetchRuntimeName, listRunningContainers } from "../wire/cri-calls.ts";

export interface CriRuntime {
  /** "unix:///run/containerd/containerd.sock"; empty while not connected. */
  endpoint(): string;
  /** "containerd 2.1.9"; the endpoint where the runtime does not say it. */
  name(): string;
  /** Asks the connected runtime, or else the first one that answers. The error is one line for users. */
  listRunning(): Promise<Result<readonly RunningContainer[], string>>;
  /** The container's cgroup below the root of the hierarchy; undefined where the runtime does not say it. */
  fetchCgroupsPath(containerId: string): Promise<string | undefined>;
  close(): void;
}

export interface CriOptions {
  /** Empty for the first of `usualSockets` where a runtime answers. */
  readonly endpoint: string;
  readonly usualSockets?: readonly string[];
  /** The connection that delivered the last list was closed. */
  onLost(): void;
}

/** The default sockets of containerd, CRI-O and cri-dockerd. */
const wellKnownSockets = [
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
  "/var/run/cri-dockerd.sock",
];
const TIMEOUT_MS = 10_000;

interface Connection {
  readonly endpoint: string;
  /** Empty until the runtime has said it. */
  name: string;
  readonly client: Client;
}

const deadline = (): Date => new Date(Date.now() + TIMEOUT_MS);

/** Does not connect yet: the runtime may start later than the agent. The error, of an invalid endpoint, is one line for users. */
export function openCriRuntime(options: CriOptions): Result<CriRuntime, string> {
  const { usualSockets = wellKnownSockets, onLost } = options;
  const endpoint = parseEndpoint(options.endpoint);
  if (!endpoint.ok) return endpoint;
  let current: Connection | undefined;
  let isClosed = false;

  const disconnect = (connection: Connection): void => {
    if (current === connection) current = undefined;
    connection.client.close();
  };

  const list = async (connection: Connection): Promise<Result<readonly RunningContainer[], string>> => {
    const running = await listRunningContainers(connection.client, deadline());
    // A new client connects at once; one whose connection failed waits for its back-off.
    if (!running.ok || isClosed) disconnect(connection);
    else if (current !== connection) {
      current = connection;
      void fetchRuntimeName(connection.client, deadline()).then((name = "") => {
        connection.name = name;
      });
      const channel = connection.client.getChannel();
      channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
        if (current === connection) onLost();
      });
    }
    return running.ok ? running : err(describe(connection.endpoint, running.error));
  };

  return ok({
    endpoint: () => current?.endpoint ?? "",
    name: () => current?.name || (current?.endpoint ?? ""),
    async listRunning() {
      const errors: string[] = [];
      if (current !== undefined) {
        const running = await list(current);
        if (running.ok) return running;
      }
      const found = usualSockets.filter((path) => existsSync(path)).map((path) => `unix://${path}`);
      for (const target of endpoint.value === undefined ? found : [endpoint.value]) {
        const running = await list(connect(target));
        if (running.ok || isClosed) return running;
        errors.push(running.error);
      }
      return errors.length > 0
        ? err(errors.join("; "))
        : err(`none of ${usualSockets.join(", ")} exists: start the runtime, or set --cri-endpoint`);
    },
    fetchCgroupsPath: async (containerId) =>
      current && (await fetchCgroupsPath(current.client, containerId, deadline())),
    close() {
      isClosed = true;
      if (current !== undefined) disconnect(current);
    },
  });
}

/** Undefined for an empty text. */
function parseEndpoint(text: string): Result<string | undefined, string> {
  if (text === "") return ok(undefined);
  const address = parseAddress(text);
  return address.ok && address.value.kind === "unix"
    ? ok(renderAddress(address.value))
    : err(`--cri-endpoint ${JSON.stringify(text)} must be the runtime's socket as unix:///path`);
}

const connect = (endpoint: string): Connection => ({
  endpoint,
  name: "",
  client: new Client(endpoint, credentials.createInsecure(), {
    // A node's whole list may be larger than the default of 4 MB: containerd sends up to 16 MB, CRI-O up to 80.
    "grpc.max_receive_message_length": 128 * 1024 * 1024,
    "grpc.enable_retries": 0,
  }),
});

const describe = (target: string, error: { readonly code: GrpcCode; readonly details: string }): string =>
  error.code === grpcCode.unimplemented
    ? `the server at ${target} does not implement CRI: is the runtime's CRI plugin disabled?`
    : `the runtime at ${target}: ${error.details}`;
