// SPDX-License-Identifier: Apache-2.0
// Clients of gRPC's health service: that of grpc-js, and that of Debian's python3-grpcio.
import { Client, credentials, status } from "@grpc/grpc-js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
} from "@rthooks/proto/health";
import { runProcess } from "./process.ts";
import { findTool } from "./programs.ts";

const names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const toRequest = (service: string): Buffer => Buffer.from(HealthCheckRequest.encode({ service }).finish());
const toName = (bytes: Buffer): string => names[HealthCheckResponse.decode(bytes).status] ?? "?";
const same = (bytes: Buffer): Buffer => bytes;

/** The status of a service, or the name of the gRPC status where the call fails. */
export function checkHealth(address: string, service: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const deadline = Date.now() + 30_000;
  return new Promise<string>((resolve) => {
    const path = "/grpc.health.v1.Health/Check";
    client.makeUnaryRequest(path, same, toName, toRequest(service), { deadline }, (error, name) =>
      resolve(error === null ? (name ?? "?") : (status[error.code] ?? "?")),
    );
  }).finally(() => client.close());
}

export function listHealth(address: string): Promise<Readonly<Record<string, string>>> {
  const client = new Client(address, credentials.createInsecure());
  const request = Buffer.from(HealthListRequest.encode({}).finish());
  const toNames = (bytes: Buffer) =>
    [...HealthListResponse.decode(bytes).statuses].map(([service, found]) => [
      service,
      names[found.status] ?? "?",
    ]);
  return new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
    client.makeUnaryRequest("/grpc.health.v1.Health/List", same, toNames, request, (error, list) =>
      error === null ? resolve(Object.fromEntries(list ?? [])) : reject(error),
    );
  }).finally(() => client.close());
}

/** What Watch has sent so far. */
export function watchHealth(address: string, service: string) {
  const client = new Client(address, credentials.createInsecure());
  const call = client.makeServerStreamRequest(
    "/grpc.health.v1.Health/Watch",
    same,
    toName,
    toRequest(service),
  );
  const seen: string[] = [];
  let hasEnded = false;
  call.on("data", (name: string) => void seen.push(name));
  call.on("error", () => {});
  call.on("close", () => {
    hasEnded = true;
  });
  const close = (): void => {
    call.cancel();
    client.close();
  };
  return { seen, hasEnded: () => hasEnded, close };
}

const script = `
import grpc, sys
channel = grpc.insecure_channel(sys.argv[1])
service = sys.argv[2].encode()
request = b"\\x0a" + bytes([len(service)]) + service if service else b""
method = channel.unary_unary("/grpc.health.v1.Health/Check", lambda x: x, lambda x: x)
watch = channel.unary_stream("/grpc.health.v1.Health/Watch", lambda x: x, lambda x: x)
try:
    print(method(request, timeout=30).hex())
except grpc.RpcError as error:
    print(error.code().name)
print(next(iter(watch(request, timeout=30))).hex())
`;

/** The bytes of Check's answer (or its error) and of Watch's first message, in hexadecimal. */
export async function checkByPython(address: string, service: string): Promise<readonly string[]> {
  const { stdout, stderr } = await runProcess([findTool("python3"), "-c", script, address, service]);
  if (stdout === "") throw new Error(stderr);
  return stdout.trim().split("\n");
}
