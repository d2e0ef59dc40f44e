// SPDX-License-Identifier: Apache-2.0
// GetEvents over a real connection; the thread of the events runs in this one.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
} from "@grpc/grpc-js";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { GetEventsRequest, GetEventsResponse } from "@rthooks/proto/events";
import type { AgentEvent } from "../../events/core/agent-event.ts";
import { createEventStreams, type EventStreams } from "../../events/core/event-streams.ts";
import { createEventOutputs, type EventOutputs } from "../../events/edge/event-outputs.ts";
import { exec, match, node } from "../../events/wire/event-message.fixture.ts";
import { parseFilters } from "../../events/wire/written-filters.ts";
import { registerEventsService } from "./events-service.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-events-"));
afterAll(() => rmSync(directory, { recursive: true }));

const path = `/${FineGuidanceSensorsDefinition.fullName}/GetEvents`;

let count = 0;
let server: Server;
let outputs: EventOutputs;
let streams: EventStreams;
let endAll: () => void;
let target = "";
const clients: Client[] = [];

beforeEach(async () => {
  server = new Server();
  const created = createEventOutputs({
    ...{ node, export: undefined, warn: () => {} },
    post: (report) => streams.handle(report),
  });
  if (!created.ok) throw new Error(created.error);
  outputs = created.value;
  streams = createEventStreams((request) => outputs.handle(request));
  endAll = registerEventsService(server, streams, (error) => {
    throw error;
  });
  target = `unix://${join(directory, `${count++}.sock`)}`;
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(target, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  server.forceShutdown();
});

interface Session {
  readonly stream: ClientReadableStream<GetEventsResponse>;
  readonly events: GetEventsResponse[];
  readonly ended: Promise<ServiceError | undefined>;
}

const request = (fields: Partial<GetEventsRequest> = {}): GetEventsRequest => ({
  ...{ allowList: [], denyList: [], aggregationOptions: undefined, fieldFilters: [], ...fields },
});

/** The events of a call, collected unless it is paused. */
function call(asked: GetEventsRequest): Session {
  const client = new Client(target, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  clients.push(client);
  const stream = client.makeServerStreamRequest(
    path,
    (message: GetEventsRequest) => Buffer.from(GetEventsRequest.encode(message).finish()),
    (bytes: Buffer) => GetEventsResponse.decode(bytes),
    asked,
    new Metadata(),
    {},
  );
  const events: GetEventsResponse[] = [];
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.on("error", (error: ServiceError) => resolve(error));
    stream.on("end", () => resolve(undefined));
  });
  stream.on("data", (event: GetEventsResponse) => events.push(event));
  return { stream, events, ended };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await Bun.sleep(2);
}

async function subscribe(asked: GetEventsRequest): Promise<Session> {
  const before = streams.size;
  const session = call(asked);
  await until(() => streams.size > before);
  return session;
}

const withFilters = (allow: string, deny = ""): GetEventsRequest => {
  const [allowList, denyList] = [parseFilters(allow), parseFilters(deny)];
  if (!allowList.ok || !denyList.ok) throw new Error("the filters of a test are wrong");
  return request({ allowList: allowList.value, denyList: denyList.value });
};

const kindOf = (event: GetEventsResponse): string | undefined => event.event?.$case;

/** As `rate_limit_info` says. */
const countDropped = (events: readonly GetEventsResponse[]): number =>
  events.reduce(
    (sum, { event }) =>
      event?.$case === "rateLimitInfo" ? sum + Number(event.rateLimitInfo.numberOfDroppedProcessEvents) : sum,
    0,
  );

const large: AgentEvent = { ...exec, process: { ...exec.process, arguments: "x".repeat(4000) } };

describe("GetEvents", () => {
  test("sends each event to each client that wants it", async () => {
    const all = await subscribe(request());
    const ofPolicy = await subscribe(withFilters('{"policy_names":["no-metadata"]}'));
    const without = await subscribe(withFilters("{}", '{"event_set":["PROCESS_KPROBE"]}'));
    outputs.publish(exec);
    outputs.publish(match);
    outputs.flush();
    await until(() => all.events.length === 2 && ofPolicy.events.length === 1 && without.events.length === 1);
    expect(all.events.map(kindOf)).toEqual(["processExec", "processKprobe"]);
    expect(ofPolicy.events.map(kindOf)).toEqual(["processKprobe"]);
    expect(without.events.map(kindOf)).toEqual(["processExec"]);
    expect(all.events[0]).toMatchObject({ nodeName: "node-1" });
  });

  test("nothing is done for events while no one wants them", async () => {
    expect(outputs.isWanted()).toBe(false);
    const { stream } = await subscribe(request());
    expect(outputs.isWanted()).toBe(true);
    stream.cancel();
    await until(() => !outputs.isWanted());
    expect(streams.size).toBe(0);
  });

  test("what the kernel had no room for is not sent to tetra, which sends one filter always", async () => {
    const tetra = await subscribe(withFilters("{}"));
    const named = await subscribe(withFilters('{"event_set":["RATE_LIMIT_INFO"]}'));
    const plain = await subscribe(request());
    outputs.publish({ kind: "lost", timeNs: exec.timeNs, count: 1000n });
    outputs.publish(exec);
    outputs.flush();
    await until(() => plain.events.length === 2 && tetra.events.length === 1 && named.events.length === 1);
    expect(tetra.events.map(kindOf)).toEqual(["processExec"]);
    expect([countDropped(named.events), countDropped(plain.events)]).toEqual([1000, 1000]);
  });

  test("fields that a client excludes are in the events of others", async () => {
    const fieldFilter = { eventSet: [], fields: ["parent"], action: 1, invertEventSet: undefined } as const;
    const few = await subscribe(
      request({ fieldFilters: [{ ...fieldFilter, eventSet: [], fields: [...fieldFilter.fields] }] }),
    );
    const all = await subscribe(request());
    outputs.publish(exec);
    outputs.flush();
    await until(() => few.events.length === 1 && all.events.length === 1);
    const parentOf = ({ event }: GetEventsResponse) =>
      event?.$case === "processExec" ? event.processExec.parent?.pid : undefined;
    expect([...few.events, ...all.events].map(parentOf)).toEqual([undefined, 4240]);
  });

  test.each([
    { filter: '{"cel_expression":["true"]}', details: "cel_expression is not supported" },
    { filter: '{"binary_regex":["("]}', details: "is not RE2 syntax" },
    { filter: '{"ancestor_binary_regex":["a"]}', details: "ancestor_binary_regex is not supported" },
  ])("refuses $filter", async ({ filter, details }) => {
    const error = await call(withFilters(filter)).ended;
    expect(error).toMatchObject({ code: 3, details: expect.stringContaining(details) });
    expect(streams.size).toBe(0);
  });

  test("refuses a request that is too large", async () => {
    const error = await call(withFilters(JSON.stringify({ namespace: ["x".repeat(300_000)] }))).ended;
    expect(error).toMatchObject({ code: 3, details: expect.stringContaining("262144 are allowed") });
  });

  test("a client that does not read misses events, is told how many, and delays no one", async () => {
    const slow = await subscribe(request());
    const quick = await subscribe(request());
    slow.stream.pause();
    const total = 6_000;
    for (let i = 0; i < total; i++) {
      outputs.publish(large);
      if (i % 100 !== 99) continue;
      outputs.flush();
      await until(() => quick.events.length === i + 1);
    }
    const { dropped } = outputs.statistics();
    expect(dropped).toBeGreaterThan(1000);
    slow.stream.resume();
    await until(() => slow.events.length + countDropped(slow.events) >= total);
    const told = slow.events.filter((event) => kindOf(event) === "rateLimitInfo").length;
    expect(countDropped(slow.events)).toBe(dropped);
    expect(slow.events.length - told).toBe(total - dropped);
    expect(countDropped(quick.events)).toBe(0);
  });

  test("the 33rd client is refused, and a place that was left is free", async () => {
    const sessions = await Promise.all(Array.from({ length: 32 }, () => subscribe(request())));
    expect(await call(request()).ended).toMatchObject({
      code: 8,
      details: expect.stringContaining("32 clients"),
    });
    sessions[0]?.stream.cancel();
    await until(() => streams.size === 31);
    await subscribe(request());
  });

  test("ends with the agent, and with the thread of the events", async () => {
    const one = await subscribe(request());
    endAll();
    expect(await one.ended).toMatchObject({ code: 14, details: "GetEvents: the agent stops" });
    expect(await call(request()).ended).toMatchObject({ code: 14 });
    expect(outputs.isWanted()).toBe(false);
  });

  test("ends with the thread of the events", async () => {
    const one = await subscribe(request());
    streams.endAll("the thread of the events ended");
    expect(await one.ended).toMatchObject({ code: 14, details: "GetEvents: the thread of the events ended" });
  });
});
