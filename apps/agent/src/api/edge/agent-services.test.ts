// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { AgentStateDefinition, ContainerEventsDefinition } from "@rthooks/proto";
import { err } from "@rthooks/result";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import { callUnary } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { unwatched } from "../../containers/core/unwatched.fixture.ts";
import { createMemoryCommands, createMemoryPolicies } from "../../policies/edge/memory-policies.fixture.ts";
import { registerServices } from "./agent-services.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-services-"));
const server = new Server();
const silent = (): void => {};
const policies = createMemoryPolicies();
const record: ContainerRecord = {
  ...{ id: "known", name: "app", image: "web:1", podUid: "u", podName: "web", podNamespace: "shop" },
  ...{ podLabels: new Map(), cgroupPath: "/c", cgroupId: 7n, state: "released", source: "hook" },
  ...{ reportedAtNanos: 1n, error: "", errorKind: "" },
};
const refused: (readonly [string, string])[] = [];
const problems: string[] = [];
let client: Client;

beforeAll(async () => {
  registerServices(
    server,
    {
      lifecycle: {
        report: (_, onAnswer) => onAnswer(undefined),
        list: () => [record],
        find: (id) => (id === record.id ? record : undefined),
        findFacts: () => undefined,
        listFacts: () => [],
        recordRefusal: () => {},
        reportRefused: (id, reason) => void refused.push([id, reason]),
        has: () => false,
        hasEnded: () => false,
        containerIds: () => [],
        checkCgroup: silent,
        reportStopped: silent,
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
      reportPluginProblem: (problem) => void problems.push(problem),
      metrics: createAgentMetrics("1.2.3"),
      log: { debug: silent, info: silent, warn: silent, error: silent },
    },
    () => silent,
  );
  const address = `unix://${join(directory, "agent.sock")}`;
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  client = new Client(address, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
  rmSync(directory, { recursive: true });
});

const deadline = (): Date => new Date(Date.now() + 30_000);

test("one container is told, and which are not on record", async () => {
  const { getContainer } = AgentStateDefinition.methods;
  const get = (id: string) => callUnary(client, AgentStateDefinition, getContainer, { id }, deadline());
  expect(await get("known")).toMatchObject({ value: { name: "app", state: "released", cgroupId: 7n } });
  expect(await get("other")).toMatchObject({ error: { code: status.NOT_FOUND } });
});

test("why the NRI plugin refused a container is handed on", async () => {
  const { reportRefused } = ContainerEventsDefinition.methods;
  const request = { containerId: "c1", reason: "too large" };
  const answer = await callUnary(client, ContainerEventsDefinition, reportRefused, request, deadline());
  expect(answer.ok).toBeTrue();
  expect(refused).toEqual([["c1", "too large"]]);
});

test("what keeps the NRI plugin from its work is handed on", async () => {
  const { reportPluginProblem } = ContainerEventsDefinition.methods;
  const report = (problem: string) =>
    callUnary(client, ContainerEventsDefinition, reportPluginProblem, { problem }, deadline());
  expect((await report("not synchronized")).ok).toBeTrue();
  expect((await report("")).ok).toBeTrue();
  expect(problems).toEqual(["not synchronized", ""]);
});
