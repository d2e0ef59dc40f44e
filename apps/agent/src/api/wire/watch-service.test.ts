// SPDX-License-Identifier: Apache-2.0
// What clients of WatchContainers may occupy, over a real connection.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { WireError } from "../../base/wire/service.ts";
import { type WatchSelection, watchContainers } from "../../cli/wire/watch-call.ts";
import { createContainerChanges } from "../../containers/core/container-changes.ts";
import { toDeniedRecord } from "../../containers/core/unrecorded-container.ts";
import { registerWatchService } from "./watch-service.ts";

const all: WatchSelection = { namespaces: [], pods: [], states: [], changesOnly: false };
let directory: string;
let server: Server;
let client: Client;
let observers = 0;
let endStreams: () => void;
let bugs: unknown[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "watch-service-"));
  bugs = [];
  const record = toDeniedRecord("c1", "");
  const changes = createContainerChanges({
    list: () => [record, { ...record, id: "c2", podNamespace: "shop" }],
    find: () => undefined,
    observe() {
      observers++;
      return () => void observers--;
    },
    nowNanos: () => 1n,
  });
  server = new Server();
  endStreams = registerWatchService(server, changes, (error) => void bugs.push(error));
  const address = `unix://${join(directory, "agent.sock")}`;
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  client = new Client(address, credentials.createInsecure());
});
afterEach(() => {
  client.close();
  server.forceShutdown();
  rmSync(directory, { recursive: true });
  expect(bugs).toEqual([]);
});

/** Resolves when the first answer is there, or the call has ended. */
function start(request: WatchSelection = all) {
  const kinds: string[] = [];
  let cancel = (): void => {};
  const begun = Promise.withResolvers<void>();
  const ended: Promise<WireError> = watchContainers(client, request, {
    onCancel(cancelCall) {
      cancel = cancelCall;
    },
    async onEvent(event) {
      kinds.push(event.kind);
      if (event.kind === "all-recorded") begun.resolve();
    },
  });
  void ended.then(() => begun.resolve());
  return begun.promise.then(() => ({ kinds, ended, cancel: () => cancel() }));
}

test("the number of streams is bounded, and one that is cancelled makes room", async () => {
  const streams = await Promise.all(Array.from({ length: 32 }, () => start()));
  expect(observers).toBe(1);
  const refused = await start();
  expect(await refused.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: "WatchContainers: 32 clients watch already: end one of them",
  });
  streams[0]?.cancel();
  await streams[0]?.ended;
  // The server notices a moment later.
  let another = await start();
  while (another.kinds.length === 0) another = await start();
  for (const { cancel, ended } of [...streams, another]) {
    cancel();
    await ended;
  }
  while (observers > 0) await Bun.sleep(1);
});

test("the containers on record come first, those that the filter selects", async () => {
  expect((await start()).kinds).toEqual(["recorded", "recorded", "all-recorded"]);
  expect((await start({ ...all, namespaces: ["shop"] })).kinds).toEqual(["recorded", "all-recorded"]);
  expect((await start({ ...all, changesOnly: true })).kinds).toEqual(["all-recorded"]);
});

test("when the agent stops, every stream ends with the reason, and none begins", async () => {
  const stream = await start();
  endStreams();
  const unavailable = { code: status.UNAVAILABLE, details: "WatchContainers: the agent stops" };
  expect(await stream.ended).toMatchObject(unavailable);
  expect(await (await start()).ended).toMatchObject(unavailable);
});

test("a request with too many names is refused", async () => {
  const pods = Array.from({ length: 101 }, (_, at) => `${at}`);
  expect(await (await start({ ...all, pods })).ended).toMatchObject({ code: status.INVALID_ARGUMENT });
});
