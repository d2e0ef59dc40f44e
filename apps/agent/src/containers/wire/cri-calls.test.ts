// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { RuntimeServiceDefinition as service } from "@rthooks/proto/cri";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok } from "@rthooks/result";
import { registerUnary } from "../../base/wire/service.ts";
import { fetchCgroupsPath } from "./cri-calls.ts";

const directory = mkdtempSync(join(tmpdir(), "rth-cri-calls-"));
const address = `unix://${join(directory, "cri.sock")}`;
const server = new Server();
const client = new Client(address, credentials.createInsecure());
/** The verbose status of each container. */
const infoOf = new Map([
  ["cgroupfs", `{"runtimeSpec":{"linux":{"cgroupsPath":"/kubepods/pod1/c"}}}`],
  ["systemd", `{"runtimeSpec":{"linux":{"cgroupsPath":"kubepods-pod1.slice:cri-containerd:c"}}}`],
  ["no path", `{"runtimeSpec":{"linux":{}}}`],
  ["outside of the root", `{"runtimeSpec":{"linux":{"cgroupsPath":"/../c"}}}`],
  ["not JSON", "runtimeSpec"],
]);

beforeAll(async () => {
  registerUnary(
    server,
    service,
    service.methods.containerStatus,
    ({ containerId, verbose }, answer) => {
      const info = infoOf.get(containerId);
      answer(
        info === undefined || !verbose
          ? err({ code: grpcCode.notFound, details: `container ${containerId} not found` })
          : ok({ info: new Map([["info", info]]) }),
      );
    },
    () => {},
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
});
afterAll(() => {
  client.close();
  server.forceShutdown();
  rmSync(directory, { recursive: true });
});

test.each([
  ["cgroupfs", "/kubepods/pod1/c"],
  ["systemd", "/kubepods.slice/kubepods-pod1.slice/cri-containerd-c.scope"],
  ["no path", undefined],
  ["outside of the root", undefined],
  ["not JSON", undefined],
  ["not found", undefined],
])("the cgroup of a container in the runtime's verbose status: %s", async (containerId, path) => {
  const deadline = new Date(Date.now() + 60_000);
  expect(await fetchCgroupsPath(client, containerId, deadline)).toBe(path);
});
