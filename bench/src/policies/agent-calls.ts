// SPDX-License-Identifier: Apache-2.0
import { FineGuidanceSensorsDefinition, RuntimeHookRequest } from "@rthooks/proto";
import { runConnection } from "../agent/frame-client.ts";

export interface ReportedContainer {
  readonly name: string;
  readonly cgroupPath: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Milliseconds from each call to its answer. Each connection has one call under way, as each hook has. */
export async function reportAll(
  socketPath: string,
  connections: number,
  containers: readonly ReportedContainer[],
): Promise<readonly number[]> {
  const waiting = containers.map(toMessage);
  const times: number[] = [];
  const runOne = (): Promise<number> => {
    let startedNs = 0;
    const next = (): Uint8Array | undefined => {
      const nowNs = Bun.nanoseconds();
      if (startedNs !== 0) times.push((nowNs - startedNs) / 1e6);
      startedNs = nowNs;
      return waiting.pop();
    };
    return runConnection(socketPath, path("RuntimeHook"), next, { "rthooks-vouched": "1" });
  };
  await Promise.all(Array.from({ length: connections }, runOne));
  return times;
}

function toMessage({ name, cgroupPath, labels }: ReportedContainer): Uint8Array {
  const annotations = new Map([
    ["rthooks.v1/pod-labels", JSON.stringify(labels)],
    ["rthooks.v1/learned-by", "nri"],
  ]);
  const createContainer = {
    ...{ cgroupsPath: cgroupPath, rootDir: "", annotations, containerName: "app", containerID: name },
    ...{ podName: name, podUID: toUid(name), podNamespace: "shop", containerImage: "web:1", mounts: [] },
  };
  return RuntimeHookRequest.encode({
    event: { $case: "createContainer" as const, createContainer },
  }).finish();
}

const { methods } = FineGuidanceSensorsDefinition;
const path = (method: string): string => `/tetragon.FineGuidanceSensors/${method}`;

async function time(socketPath: string, method: string, message: Uint8Array): Promise<number> {
  const startedNs = Bun.nanoseconds();
  let hasBegun = false;
  await runConnection(socketPath, path(method), () => {
    if (hasBegun) return undefined;
    hasBegun = true;
    return message;
  });
  return (Bun.nanoseconds() - startedNs) / 1e6;
}

/** Milliseconds, with a connection of its own as `tetra` has. */
export const addPolicy = (socketPath: string, yaml: string): Promise<number> =>
  time(
    socketPath,
    "AddTracingPolicy",
    methods.addTracingPolicy.requestType.encode({ yaml, domain: "" }).finish(),
  );

/** Likewise. */
export const deletePolicy = (socketPath: string, name: string): Promise<number> =>
  time(
    socketPath,
    "DeleteTracingPolicy",
    methods.deleteTracingPolicy.requestType.encode({ name, namespace: "", domain: "" }).finish(),
  );

/** A UID of the name's own: "c-42" is …000000000042. */
const toUid = (name: string): string => {
  const [, kind = "", number = ""] = /^(\w+)-(\d+)$/.exec(name) ?? [];
  return `00000000-0000-4000-8${kind === "c" ? "000" : "001"}-${number.padStart(12, "0")}`;
};
