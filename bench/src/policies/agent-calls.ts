// SPDX-License-Identifier: Apache-2.0
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { FineGuidanceSensorsDefinition, RuntimeHookRequest } from "@rthooks/proto";

export interface Announced {
  readonly name: string;
  readonly cgroupPath: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AgentCalls {
  /** Milliseconds from the call to its answer. */
  announce(container: Announced): Promise<number>;
  addPolicy(yaml: string): Promise<number>;
  deletePolicy(name: string): Promise<number>;
  close(): void;
}

/** One connection of its own, as the NRI plugin keeps one. */
export function connectToAgent(socketPath: string): AgentCalls {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const vouched = new Metadata();
  vouched.set("rthooks-vouched", "1");
  const { methods } = FineGuidanceSensorsDefinition;

  const call = (name: string, bytes: Uint8Array): Promise<number> => {
    const startedNs = Bun.nanoseconds();
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/tetragon.FineGuidanceSensors/${name}`,
        (request: Buffer) => request,
        (response: Buffer) => response,
        Buffer.from(bytes),
        vouched,
        (error) => (error === null ? resolve((Bun.nanoseconds() - startedNs) / 1e6) : reject(error)),
      );
    });
  };

  return {
    announce: ({ name, cgroupPath, labels }) => {
      const annotations = new Map([
        ["rthooks.v1/pod-labels", JSON.stringify(labels)],
        ["rthooks.v1/learned-by", "nri"],
      ]);
      const createContainer = {
        ...{ cgroupsPath: cgroupPath, rootDir: "", annotations, containerName: "app", containerID: name },
        ...{ podName: name, podUID: toUid(name), podNamespace: "shop", containerImage: "web:1", mounts: [] },
      };
      const event = { $case: "createContainer" as const, createContainer };
      return call("RuntimeHook", RuntimeHookRequest.encode({ event }).finish());
    },
    addPolicy: (yaml) =>
      call("AddTracingPolicy", methods.addTracingPolicy.requestType.encode({ yaml, domain: "" }).finish()),
    deletePolicy: (name) => {
      const request = { name, namespace: "", domain: "" };
      return call("DeleteTracingPolicy", methods.deleteTracingPolicy.requestType.encode(request).finish());
    },
    close: () => client.close(),
  };
}

/** A UID of the name's own: "c-42" is …000000000042. */
const toUid = (name: string): string => {
  const [, kind = "", number = ""] = /^(\w+)-(\d+)$/.exec(name) ?? [];
  return `00000000-0000-4000-8${kind === "c" ? "000" : "001"}-${number.padStart(12, "0")}`;
};
