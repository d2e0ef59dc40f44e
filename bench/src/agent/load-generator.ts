// SPDX-License-Identifier: Apache-2.0
// One process of load; its orders come as one JSON argument, its findings go to standard output as JSON.
import { RuntimeHookRequest } from "@rthooks/proto";
import { runConnection } from "./frame-client.ts";
import { runGrpcConnection } from "./grpc-client.ts";
import { parseOrders } from "./orders.ts";

const orders = parseOrders(process.argv[2] ?? "");
const path = "/tetragon.FineGuidanceSensors/RuntimeHook";
const podUid = (n: number) => `5bd4fa3b-0d8a-4b3a-9d9f-${n.toString(16).padStart(12, "0")}`;

/** What a hook sends for a container of containerd. */
function encodeRequest(cgroupsPath: string): Uint8Array {
  const name = cgroupsPath.slice(cgroupsPath.lastIndexOf("/") + 1);
  const uid = podUid(Number(/\d+$/.exec(name)?.[0] ?? 0));
  return RuntimeHookRequest.encode({
    event: {
      $case: "createContainer",
      createContainer: {
        cgroupsPath,
        rootDir: `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${name}/rootfs`,
        annotations: new Map([
          ["io.kubernetes.cri.container-name", "app"],
          ["io.kubernetes.cri.container-type", "container"],
          ["io.kubernetes.cri.image-name", "registry.example.org/shop/web:1.2.3"],
          ["io.kubernetes.cri.sandbox-name", name],
          ["io.kubernetes.cri.sandbox-namespace", "shop"],
          ["io.kubernetes.cri.sandbox-uid", uid],
        ]),
        containerName: "app",
        containerID: name,
        containerImage: "registry.example.org/shop/web:1.2.3",
        podName: name,
        podUID: uid,
        podNamespace: "shop",
        mounts: [],
      },
    },
  }).finish();
}

// Encoded before the clock starts: the agent is measured, not this process.
const messages = Array.from({ length: orders.containers }, (_, n) =>
  encodeRequest(`${orders.cgroupPrefix}${n}`),
);
let taken = 0;
const deadlineMs = orders.seconds === undefined ? undefined : performance.now() + orders.seconds * 1_000;
const nextMessage = (): Uint8Array | undefined => {
  if (deadlineMs === undefined) return messages[taken++];
  return performance.now() < deadlineMs ? messages[taken++ % messages.length] : undefined;
};
const connection = orders.client === "frames" ? runConnection : runGrpcConnection;
const cpuBefore = process.cpuUsage();
const startedMs = performance.now();
const counts = await Promise.all(
  Array.from({ length: orders.connections }, () => connection(orders.socketPath, path, nextMessage)),
);
const cpu = process.cpuUsage(cpuBefore);
console.log(
  JSON.stringify({
    calls: counts.reduce((sum, count) => sum + count, 0),
    elapsedMs: performance.now() - startedMs,
    cpuMs: (cpu.user + cpu.system) / 1_000,
  }),
);
