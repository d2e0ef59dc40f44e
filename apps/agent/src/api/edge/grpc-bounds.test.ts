// SPDX-License-Identifier: Apache-2.0
// What clients may make the server hold.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { toConnectionBounds } from "@rthooks/grpc";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { err } from "@rthooks/result";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import { emptyState } from "../../base/core/metered-state.fixture.ts";
import { callUnary } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { unwatched } from "../../containers/core/unwatched.fixture.ts";
import { createMemoryCommands, createMemoryPolicies } from "../../policies/edge/memory-policies.fixture.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-bounds-"));
afterAll(() => rmSync(directory, { recursive: true }));

const silent = (): void => {};
const policies = createMemoryPolicies();
const log = { debug: silent, info: silent, warn: silent, error: silent };
const largeRecord: ContainerRecord = {
  ...{ id: "c1", name: "", image: "", podUid: "", podName: "", podNamespace: "", podLabels: new Map() },
  ...{ cgroupPath: "", cgroupId: 0n, state: "failed", source: "hook", reportedAtNanos: 0n },
  errorKind: "internal",
  error: "x".repeat(1_000_000),
};

describe("bounds of the gRPC server", () => {
  let count = 0;
  let path = "";
  let server: GrpcServer;
  let client: Client;
  let metrics = createAgentMetrics("1.2.3");
  let records: readonly ContainerRecord[] = [];

  beforeEach(async () => {
    path = join(directory, `${count++}.sock`);
    metrics = createAgentMetrics("1.2.3");
    records = [];
    server = createGrpcServer({
      lifecycle: {
        report: (_, onAnswer) => onAnswer(undefined),
        list: () => records,
        has: () => false,
        hasEnded: () => false,
        containerIds: () => [],
        checkCgroup: silent,
        reportStopped: silent,
        find: () => undefined,
        findFacts: () => undefined,
        listFacts: () => [],
        recordRefusal: () => {},
        reportRefused: silent,
        observe: () => silent,
        close: silent,
      },
      policies,
      policyCommands: createMemoryCommands(policies),
      ...{ events: undefined, logLevel: { level: () => "info", setLevel: silent } },
      enforcement: { countsOf: () => [] },
      awaitPod: () => undefined,
      changes: unwatched,
      starts: { begin: () => silent, refused: silent },
      findExplanations: () => err({ kind: "not-found", message: "no container" }),
      info: { version: "1.2.3", runtime: "Bun", probes: async () => ({}), conf: {} },
      listProblems: () => [],
      reportPluginProblem: () => {},
      allowsChangesOnTcp: false,
      tls: undefined,
      bounds: toConnectionBounds(256),
      metrics,
      log,
    });
    const listening = await server.listen({ kind: "unix", path });
    if (!listening.ok) throw new Error(listening.error);
    client = new Client(`unix://${path}`, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await server.drain(0);
  });

  const renderMetrics = (): Promise<string> => {
    return metrics.render(emptyState);
  };
  const isServed = async (): Promise<boolean> => {
    const { getVersion } = FineGuidanceSensorsDefinition.methods;
    const deadline = new Date(Date.now() + 30_000);
    return (await callUnary(client, FineGuidanceSensorsDefinition, getVersion, {}, deadline)).ok;
  };
  /** Announces a message and sends less of it. */
  const sendUnfinished = (session: ClientHttp2Session, bytes: number): void => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/tetragon.FineGuidanceSensors/AddTracingPolicy",
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    const message = Buffer.alloc(5 + bytes);
    message.writeUInt32BE(bytes + 1, 1);
    stream.write(message);
  };
  const openSession = (): { readonly session: ClientHttp2Session; readonly closed: Promise<unknown> } => {
    const session = connectHttp2("http://agent", { createConnection: () => connect(path) });
    session.on("error", () => {});
    return { session, closed: new Promise((resolve) => session.once("close", resolve)) };
  };

  test("a client that leaves large requests unfinished loses its connection, and no other does", async () => {
    const modest = openSession();
    sendUnfinished(modest.session, 1_000_000);
    const { session, closed } = openSession();
    for (let count = 0; count < 20; count++) sendUnfinished(session, 1_000_000);
    await closed;
    expect(await isServed()).toBeTrue();
    expect(modest.session.closed).toBeFalse();
    modest.session.destroy();
    const evicted = 'tetragon_grpc_connections_closed_total{reason="too many bytes under way"} 1';
    expect((await renderMetrics()).split("\n")).toContain(evicted);
  });

  test("a client that does not take its answers loses its connection", async () => {
    records = [largeRecord];
    const { session, closed } = openSession();
    for (let count = 0; count < 40; count++) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/rthooks.v1.AgentState/ListContainers",
        "content-type": "application/grpc",
      });
      stream.on("error", () => {});
      stream.end(Buffer.alloc(5));
      stream.pause();
    }
    await closed;
    expect(await isServed()).toBeTrue();
  });

  test("silent connections beyond the bound end, the oldest first, and calls are answered", async () => {
    const { maxConnections } = toConnectionBounds(256);
    const ended = new Set<number>();
    const sockets: Socket[] = [];
    for (let at = 0; at < maxConnections + 20; at++) {
      const socket = connect(path);
      socket.on("error", () => {});
      socket.on("close", () => ended.add(at));
      socket.resume();
      sockets.push(socket);
      await new Promise((resolve) => socket.once("connect", resolve));
    }
    expect(await isServed()).toBeTrue();
    while (ended.size < 21) await Bun.sleep(1);
    expect([...ended].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 21 }, (_, at) => at));
    for (const socket of sockets) socket.destroy();
  });

  test("connections beyond the bound free their descriptors, also of clients that never read", async () => {
    const { maxConnections } = toConnectionBounds(256);
    const countDescriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = countDescriptors();
    const clients = maxConnections + 100;
    const sockets: Socket[] = [];
    for (let at = 0; at < clients; at++) {
      const socket = connect({ path, allowHalfOpen: true });
      socket.on("error", () => {});
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    expect(await isServed()).toBeTrue();
    // The clients' own, the server's of those that are left, and some that come and go.
    while (countDescriptors() > before + clients + maxConnections + 10) await Bun.sleep(1);
    for (const socket of sockets) socket.destroy();
  });
});
