// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test } from "bun:test";
import { Client, credentials, status } from "@grpc/grpc-js";
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
} from "@rthooks/proto/health";
import type { ServingStates } from "./health-watchers.ts";
import { type HealthServer, serveHealth } from "./serve-health.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
const silent = (): void => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0).reverse()) one.close();
});

async function serve(check: () => Promise<ServingStates>, intervalMs = 3_600_000): Promise<HealthServer> {
  const server = await serveHealth({ address: "127.0.0.1:0", intervalMs, check, log });
  if (!server.ok) throw new Error(server.error);
  open.push(server.value);
  return server.value;
}

function connect({ port }: HealthServer): Client {
  // A connection of its own for each client.
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  open.push(client);
  return client;
}

const encode = (service: string): Buffer => Buffer.from(HealthCheckRequest.encode({ service }).finish());
const same = (bytes: Buffer): Buffer => bytes;

const check = (client: Client, service: string): Promise<number | string> =>
  new Promise((resolve) =>
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      same,
      (bytes) => HealthCheckResponse.decode(bytes).status,
      encode(service),
      (error, found) => resolve(error === null ? (found ?? "none") : (status[error.code] ?? "?")),
    ),
  );

function watch(client: Client, service: string) {
  const seen: number[] = [];
  const call = client.makeServerStreamRequest(
    "/grpc.health.v1.Health/Watch",
    same,
    (bytes) => HealthCheckResponse.decode(bytes).status,
    encode(service),
  );
  call.on("data", (found: number) => void seen.push(found));
  call.on("error", silent);
  return { seen, cancel: () => call.cancel() };
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await Bun.sleep(1);
};

test("a change is sent once to each client that watches the service", async () => {
  let isServing = true;
  const server = await serve(async () => new Map([["a", isServing]]));
  const watched = watch(connect(server), "a");
  await until(() => watched.seen.length === 1);
  await server.update();
  isServing = false;
  await server.update();
  await server.update();
  await until(() => watched.seen.length === 2);
  expect(watched.seen).toEqual([SERVING, NOT_SERVING]);
});

test("the health is examined at the interval while a client watches, and not without one", async () => {
  let examinations = 0;
  const server = await serve(async () => {
    examinations++;
    return new Map([["a", true]]);
  }, 1);
  const watched = watch(connect(server), "a");
  await until(() => examinations > 5);
  watched.cancel();
  // An interval of 1 ms would run in between, in the same event loop.
  for (let before = -1; before !== examinations; ) {
    before = examinations;
    await Bun.sleep(20);
  }
  const last = examinations;
  expect(await check(connect(server), "a")).toBe(SERVING);
  expect(examinations).toBe(last + 1);
});

test("a bug in the examination is an error of the call, and the server goes on", async () => {
  let isBroken = true;
  const server = await serve(async () => {
    if (isBroken) throw new Error("a bug");
    return new Map([["a", true]]);
  });
  const client = connect(server);
  expect(await check(client, "a")).toBe("INTERNAL");
  const watched = watch(client, "a");
  await server.update();
  isBroken = false;
  expect(await check(client, "a")).toBe(SERVING);
  await until(() => {
    void server.update();
    return watched.seen.length > 0;
  });
  expect(watched.seen).toEqual([SERVING]);
});

test("a request that is too long is refused, and beyond 32 connections the oldest one is closed", async () => {
  const server = await serve(async () => new Map([["a", true]]));
  expect(await check(connect(server), "a".repeat(5000))).toBe("RESOURCE_EXHAUSTED");
  const clients = Array.from({ length: 40 }, () => connect(server));
  const first = clients[0];
  if (first === undefined) throw new Error("no client");
  const isIdle = (): boolean => first.getChannel().getConnectivityState(false) !== 2;
  for (const client of clients) expect(await check(client, "a")).toBe(SERVING);
  await until(isIdle);
});
