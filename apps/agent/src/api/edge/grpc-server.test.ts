// SPDX-License-Identifier: Apache-2.0

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { toConnectionBounds } from "@rthooks/grpc";
import type { ContainerReport } from "@rthooks/machines/pod";
import { renderAddress } from "@rthooks/net";
import { POD_LABELS_KEY, REPORT_SOURCE_KEY, TRUSTED_HEADER } from "@rthooks/oci";
import {
  AgentStateDefinition,
  ContainerEventsDefinition,
  type CreateContainer,
  FineGuidanceSensorsDefinition,
} from "@rthooks/proto";
import { err } from "@rthooks/result";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import { emptyState } from "../../base/core/metered-state.fixture.ts";
import type { ServerAddress } from "../../base/core/server-address.ts";
import { callUnary } from "../../base/wire/service.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
import { unwatched } from "../../containers/core/unwatched.fixture.ts";
import type { OnAnswer } from "../../containers/core/waiting-callers.ts";
import { createMemoryCommands, createMemoryPolicies } from "../../policies/edge/memory-policies.fixture.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-grpc-"));
afterAll(() => rmSync(directory, { recursive: true }));

const silent = (): void => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const webLabels = new Map([["app", "web"]]);
const sensors = FineGuidanceSensorsDefinition;

const policies = createMemoryPolicies();

const container = (fields: Partial<CreateContainer>): CreateContainer => ({
  cgroupsPath: "/kubepods/c1",
  rootDir: "",
  annotations: new Map(),
  containerName: "",
  containerID: "",
  podName: "",
  podUID: "",
  podNamespace: "",
  containerImage: "",
  mounts: [],
  ...fields,
});

describe("the gRPC server", () => {
  let count = 0;
  let path = "";
  let server: GrpcServer;
  let client: Client;
  let calls: { readonly reported: ContainerReport; readonly onAnswer: OnAnswer }[] = [];
  let report: Lifecycle["report"];
  let stopped: string[] = [];
  let problems: readonly string[] = [];
  let metrics = createAgentMetrics("1.2.3");

  const lifecycle: Lifecycle = {
    report: (reported, onAnswer) => report(reported, onAnswer),
    list: () => [],
    find: () => undefined,
    findFacts: () => undefined,
    listFacts: () => [],
    recordRefusal: () => {},
    reportRefused: () => {},
    has: () => false,
    hasEnded: () => false,
    containerIds: () => [],
    checkCgroup: () => {},
    reportStopped: (ids) => void stopped.push(...ids),
    observe: () => () => {},
    close: () => {},
  };
  const deadline = (): Date => new Date(Date.now() + 10_000);
  const hook = (fields: Partial<CreateContainer> = {}, metadata = new Metadata()) =>
    callUnary(
      client,
      sensors,
      sensors.methods.runtimeHook,
      { event: { $case: "createContainer", createContainer: container(fields) } },
      deadline(),
      metadata,
    );
  const raw = (
    method: string,
    bytes: Uint8Array,
    from: Client = client,
  ): Promise<ServiceError | Buffer | null> =>
    new Promise((resolve) => {
      const same = (buffer: Buffer): Buffer => buffer;
      from.makeUnaryRequest(method, same, same, Buffer.from(bytes), (error, answer) =>
        resolve(error ?? answer ?? null),
      );
    });

  beforeEach(async () => {
    path = join(directory, `${count++}.sock`);
    calls = [];
    stopped = [];
    problems = [];
    metrics = createAgentMetrics("1.2.3");
    report = (_, onAnswer) => onAnswer(undefined);
    server = createGrpcServer({
      lifecycle,
      policies,
      policyCommands: createMemoryCommands(policies),
      ...{ events: undefined, logLevel: { level: () => "info", setLevel: silent } },
      enforcement: { countsOf: () => [] },
      awaitPod: () => undefined,
      changes: unwatched,
      starts: { begin: () => silent, refused: silent },
      findExplanations: () => err({ kind: "not-found", message: "no container" }),
      log,
      info: {
        version: "1.2.3",
        runtime: "Bun",
        probes: async () => ({ maps: true }),
        conf: { procfs: "/proc", on: true },
      },
      metrics,
      listProblems: () => problems,
      reportPluginProblem: () => {},
      allowsChangesOnTcp: false,
      tls: undefined,
      bounds: toConnectionBounds(256),
    });
    const listening = await server.listen({ kind: "unix", path });
    if (!listening.ok) throw new Error(listening.error);
    client = new Client(`unix://${path}`, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await server.drain(0);
  });

  test("tells how it is, and what is wrong as long as it is", async () => {
    const ask = async () => {
      const health = await callUnary(
        client,
        sensors,
        sensors.methods.getHealth,
        { eventSet: [] },
        deadline(),
      );
      return health.ok ? health.value.healthStatus[0]?.details : "no answer";
    };
    expect(await ask()).toBe("running");
    problems = ["this is broken", "that too"];
    expect(await ask()).toBe("running, but this is broken; that too");
  });

  test("counts each call by what became of it", async () => {
    const { runtimeHook } = sensors.methods;
    const call = (fields: Partial<CreateContainer>) => {
      const event = { $case: "createContainer" as const, createContainer: container(fields) };
      return callUnary(client, sensors, runtimeHook, { event }, deadline());
    };
    await call({ containerImage: "web:1" });
    report = (_, onAnswer) => onAnswer({ kind: "filter-full", message: "no room" });
    await call({});
    await call({ cgroupsPath: "/" });
    const text = await metrics.render(emptyState);
    const lines = text.split("\n");
    for (const outcome of ["ok", "filter-full", "bad-request"])
      expect(lines).toContain(`tetragon_rthooks_request_seconds_count{outcome="${outcome}"} 1`);
    const operations = 'tetragon_policyfilter_operations_total{subsys="rthooks",operation="add-container"';
    expect(lines).toContain(`${operations},error=""} 1`);
    expect(lines).toContain(`${operations},error="generic-error"} 2`);
    expect(lines).toContain("tetragon_policyfilter_hook_container_image_missing_total 1");
  });

  test("tells how it was started, with what clients take for granted", async () => {
    const info = await callUnary(client, sensors, sensors.methods.getInfo, {}, deadline());
    expect(info).toMatchObject({
      value: {
        version: "1.2.3",
        probes: [{ Name: "maps", Enabled: true }],
        conf: [
          { key: "procfs", value: { typeUrl: "type.googleapis.com/google.protobuf.StringValue" } },
          { key: "on", value: { typeUrl: "type.googleapis.com/google.protobuf.BoolValue" } },
        ],
        build: { goVersion: "Bun" },
      },
    });
  });

  test("tells its version, its health and its containers", async () => {
    const version = await callUnary(client, sensors, sensors.methods.getVersion, {}, deadline());
    expect(version).toMatchObject({ value: { version: "1.2.3" } });
    const health = await callUnary(client, sensors, sensors.methods.getHealth, { eventSet: [] }, deadline());
    expect(health).toMatchObject({ value: { healthStatus: [{ event: 1, status: 1, details: "running" }] } });
    const { listContainers } = AgentStateDefinition.methods;
    expect(await callUnary(client, AgentStateDefinition, listContainers, {}, deadline())).toMatchObject({
      value: { containers: [] },
    });
  });

  test("hands a hook call on and answers when the lifecycle does", async () => {
    report = (reported, onAnswer) => void calls.push({ reported, onAnswer });
    const pending = hook({ podUID: "u", podNamespace: "shop", containerName: "app" });
    while (calls.length === 0) await Bun.sleep(1);
    expect(calls[0]?.reported).toMatchObject({
      containerId: "c1",
      containerName: "app",
      podUid: "u",
      podNamespace: "shop",
      cgroupsPath: "/kubepods/c1",
    });
    calls[0]?.onAnswer(undefined);
    expect((await pending).ok).toBeTrue();
  });

  test("takes annotations of 1 MB", async () => {
    expect((await hook({ annotations: new Map([["a", "x".repeat(1_000_000)]]) })).ok).toBeTrue();
  });

  test.each([
    { kind: "bad-request", code: status.INVALID_ARGUMENT },
    { kind: "cgroup-missing", code: status.NOT_FOUND },
    { kind: "namespace-conflict", code: status.FAILED_PRECONDITION },
    { kind: "filter-full", code: status.RESOURCE_EXHAUSTED },
    { kind: "internal", code: status.INTERNAL },
  ] as const)("a refusal for $kind has the code $code and the reason", async ({ kind, code }) => {
    report = (_, onAnswer) => onAnswer({ kind, message: "for a reason" });
    expect(await hook()).toMatchObject({ error: { code, details: "for a reason" } });
  });

  test("refuses a path that escapes, before the lifecycle hears of it", async () => {
    report = () => expect.unreachable();
    expect(await hook({ cgroupsPath: "/../etc" })).toMatchObject({
      error: { code: status.INVALID_ARGUMENT },
    });
  });

  test.each([
    { name: "are read from a vouching sender", header: "1", source: "nri", podLabels: webLabels },
    { name: "are not read without the header", header: "", source: "hook", podLabels: undefined },
    { name: "are not read with another value", header: "yes", source: "hook", podLabels: undefined },
  ])("reserved annotations $name", async ({ header, source, podLabels }) => {
    report = (reported, onAnswer) => {
      calls.push({ reported, onAnswer });
      onAnswer(undefined);
    };
    const annotations = new Map([
      [POD_LABELS_KEY, '{"app":"web"}'],
      [REPORT_SOURCE_KEY, "nri"],
    ]);
    const metadata = new Metadata();
    if (header !== "") metadata.set(TRUSTED_HEADER, header);
    expect((await hook({ annotations }, metadata)).ok).toBeTrue();
    expect(calls[0]?.reported).toMatchObject({ source, podLabels });
  });

  test("hostile reserved annotations do not even keep the pod's author from starting", async () => {
    const annotations = new Map([[POD_LABELS_KEY, "no JSON"]]);
    expect((await hook({ annotations })).ok).toBeTrue();
  });

  describe("a report of ended containers", () => {
    const { reportStopped } = ContainerEventsDefinition.methods;
    const report = (containerIds: string[]) =>
      callUnary(client, ContainerEventsDefinition, reportStopped, { containerIds }, deadline());

    test("is handed on", async () => {
      expect((await report(["a", "b"])).ok).toBeTrue();
      expect(stopped).toEqual(["a", "b"]);
      expect((await report([])).ok).toBeTrue();
    });

    test("has an end", async () => {
      expect(await report(Array.from({ length: 1001 }, (_, i) => `c${i}`))).toMatchObject({
        error: { code: status.INVALID_ARGUMENT, details: expect.stringContaining("1001") },
      });
      expect(stopped).toEqual([]);
    });
  });

  test("survives a bug in a handler", async () => {
    report = () => {
      throw new Error("a bug");
    };
    expect(await hook()).toMatchObject({ error: { code: status.INTERNAL, details: "RuntimeHook: a bug" } });
    report = (_, onAnswer) => onAnswer(undefined);
    expect((await hook()).ok).toBeTrue();
  });

  test.each([
    { name: "without an event", bytes: [], says: "no event" },
    { name: "with an event of another agent", bytes: [0x12, 0x00], says: "no event" },
    { name: "that is cut off", bytes: [0x0a, 0x7f, 0x01], says: "not a valid protobuf" },
    { name: "that is noise", bytes: [0xff, 0xff, 0xff, 0xff, 0xff], says: "not a valid protobuf" },
  ])("refuses a request $name", async ({ bytes, says }) => {
    const error = await raw("/tetragon.FineGuidanceSensors/RuntimeHook", new Uint8Array(bytes));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringContaining(says) });
  });

  test.each(["/tetragon.FineGuidanceSensors/ListSensors", "/grpc.health.v1.Health/Check"])(
    "%s is UNIMPLEMENTED by name",
    async (method) => {
      const error = await raw(method, new Uint8Array());
      expect(error).toMatchObject({ code: status.UNIMPLEMENTED, details: expect.stringContaining(method) });
    },
  );

  test("answers calls that run before it ends, and takes no new ones", async () => {
    report = (reported, onAnswer) => void calls.push({ reported, onAnswer });
    const pending = hook();
    while (calls.length === 0) await Bun.sleep(1);
    const drained = server.drain(10_000);
    expect(existsSync(path)).toBeFalse();
    const late = new Client(`unix://${path}`, credentials.createInsecure());
    const refused = callUnary(late, sensors, sensors.methods.getVersion, {}, deadline());
    expect(await refused).toMatchObject({ error: { code: status.UNAVAILABLE } });
    late.close();
    calls[0]?.onAnswer(undefined);
    expect((await pending).ok).toBeTrue();
    expect(await drained).toBeTrue();
  });

  test("waits for a call that is never answered no longer than it was told", async () => {
    report = (reported, onAnswer) => void calls.push({ reported, onAnswer });
    const pending = hook();
    while (calls.length === 0) await Bun.sleep(1);
    expect(await server.drain(20)).toBeFalse();
    expect((await pending).ok).toBeFalse();
  });

  test("does not wait for a connection that asks nothing", async () => {
    const silentClient = connect(path);
    await new Promise((resolve) => silentClient.once("connect", resolve));
    expect(await server.drain(60_000)).toBeTrue();
    silentClient.destroy();
  });

  describe("on TCP", () => {
    const openRemote = async (): Promise<Client> => {
      const listening = await server.listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
      if (!listening.ok) throw new Error(listening.error);
      return new Client(renderAddress(listening.value), credentials.createInsecure());
    };

    test.each(["GetVersion", "GetInfo", "GetHealth", "ListTracingPolicies", "ListDomains"])(
      "%s is answered",
      async (name) => {
        const remote = await openRemote();
        const answer = await raw(`/tetragon.FineGuidanceSensors/${name}`, new Uint8Array(), remote);
        expect(answer).toBeInstanceOf(Buffer);
        remote.close();
      },
    );

    test("every other call is refused, with what to do", async () => {
      const remote = await openRemote();
      report = () => expect.unreachable();
      const paths = [
        ...["RuntimeHook", "AddTracingPolicy", "DeleteTracingPolicy", "ConfigureTracingPolicy"],
        ...["EnableTracingPolicy", "DisableTracingPolicy"],
      ].map((name) => `/tetragon.FineGuidanceSensors/${name}`);
      for (const method of [...paths, "/rthooks.v1.ContainerEvents/ReportStopped"]) {
        expect(await raw(method, new Uint8Array(), remote)).toMatchObject({
          code: status.PERMISSION_DENIED,
          details: expect.stringContaining("--server-tcp-allow-changes"),
        });
      }
      remote.close();
    });
  });

  test("listens on a port too, and says which", async () => {
    const listening = await server.listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    if (!listening.ok || listening.value.kind !== "tcp") throw new Error("not listening");
    expect(listening.value.port).toBeGreaterThan(0);
    const remote = new Client(renderAddress(listening.value), credentials.createInsecure());
    const version = await callUnary(remote, sensors, sensors.methods.getVersion, {}, deadline());
    expect(version.ok).toBeTrue();
    remote.close();
  });

  test("says which address it cannot have", async () => {
    const address: ServerAddress = { kind: "tcp", host: "192.0.2.1", port: 1 };
    const listening = await server.listen(address);
    expect(listening.ok ? "" : listening.error).toContain("192.0.2.1:1");
  });
});
