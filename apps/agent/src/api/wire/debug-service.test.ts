// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import type { LogLevel } from "@rthooks/log";
import { FineGuidanceSensorsDefinition, GetDebugRequest, SetDebugRequest } from "@rthooks/proto";
import { callUnary } from "../../base/wire/service.ts";
import { registerDebugService } from "./debug-service.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-debug-"));
const target = `unix://${join(directory, "agent.sock")}`;
const server = new Server();
const client = new Client(target, credentials.createInsecure());
const { getDebug, setDebug } = FineGuidanceSensorsDefinition.methods;
let level: LogLevel = "info";

beforeAll(async () => {
  const log = {
    level: () => level,
    setLevel(next: LogLevel) {
      level = next;
    },
  };
  registerDebugService(server, log, (error) => {
    throw error;
  });
  await new Promise((resolve) => server.bindAsync(target, ServerCredentials.createInsecure(), resolve));
});
afterAll(() => {
  client.close();
  server.forceShutdown();
  rmSync(directory, { recursive: true });
});

const soon = () => new Date(Date.now() + 60_000);
const get = (bytes: readonly number[] = []) =>
  callUnary(
    client,
    FineGuidanceSensorsDefinition,
    getDebug,
    GetDebugRequest.decode(new Uint8Array(bytes)),
    soon(),
  );
const set = (bytes: readonly number[]) =>
  callUnary(
    client,
    FineGuidanceSensorsDefinition,
    setDebug,
    SetDebugRequest.decode(new Uint8Array(bytes)),
    soon(),
  );

test("tetra loglevel get sends an empty request, and gets the level", async () => {
  level = "info";
  expect(await get()).toMatchObject({ ok: true, value: { flag: 0, arg: { $case: "level", level: 4 } } });
});

// Field 2 is the level.
test.each<{ number: number; becomes: LogLevel; answered: number }>([
  { number: 0, becomes: "error", answered: 2 },
  { number: 2, becomes: "error", answered: 2 },
  { number: 3, becomes: "warn", answered: 3 },
  { number: 4, becomes: "info", answered: 4 },
  { number: 5, becomes: "debug", answered: 5 },
  { number: 6, becomes: "debug", answered: 5 },
])("tetra loglevel set $number: $becomes", async ({ number, becomes, answered }) => {
  expect(await set([0x10, number])).toMatchObject({
    ok: true,
    value: { arg: { $case: "level", level: answered } },
  });
  expect(level).toBe(becomes);
});

test.each([
  { what: "no level", bytes: [] },
  { what: "a level that there is not", bytes: [0x10, 9] },
  { what: "another flag", bytes: [0x08, 1, 0x10, 4] },
])("$what is refused and changes nothing", async ({ bytes }) => {
  level = "warn";
  expect(await set(bytes)).toMatchObject({ ok: false, error: { code: 3 } });
  expect(level).toBe("warn");
});

test("the process cache is not shown", async () => {
  expect(await get([0x08, 1])).toMatchObject({ ok: false, error: { code: 12 } });
});
