// SPDX-License-Identifier: Apache-2.0
// What a runtime can make the library keep.
import { describe, expect, test } from "bun:test";
import { type NriInventory, openNriConnection } from "@rthooks/nri";
import { encodeMessage } from "../harness/nri-messages.ts";
import { createGoReader, createMuxReader, toMuxFrame, toTtrpcMessage } from "../harness/nri-wire.ts";
import { waitFor } from "../harness/wait.ts";
import { allEvents, ok } from "./memory-plugin.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function open(queuedBytes: () => number = () => 0, event = (): unknown => undefined) {
  const streamIds: number[] = [];
  let closedBecause: string | undefined;
  let nowMs = 0;
  const refused: string[] = [];
  const inventories: NriInventory[] = [];
  let events = 0;
  const reader = createGoReader({
    onMessage: ({ streamId }) => void streamIds.push(streamId),
    onOversize: () => undefined,
    onNoMemory: () => undefined,
  });
  const connection = openNriConnection(
    {
      send: createMuxReader((_, payload) => reader(payload)),
      queuedBytes,
      close: () => undefined,
    },
    {
      configure: () => ok(allEvents),
      synchronize(inventory) {
        inventories.push(inventory);
        return ok(undefined);
      },
      async event() {
        events++;
        await event();
        return ok(undefined);
      },
      tooLarge: ({ message }) => void refused.push(message),
      closed(reason) {
        closedBecause = reason;
      },
    },
    () => nowMs,
  );
  return {
    receive: connection.receive,
    /** After so many milliseconds without another byte. */
    endStalledAfter(ms: number) {
      nowMs += ms;
      connection.endStalled();
    },
    refused: () => refused,
    streamIds,
    inventories: () => inventories,
    events: () => events,
    closedBecause: () => closedBecause,
  };
}

const toRequest = (streamId: number, method: string, payload: Buffer): Buffer =>
  toMuxFrame(
    1,
    toTtrpcMessage({
      streamId,
      type: 1,
      body: encodeMessage("ttrpc.Request", { service: "nri.pkg.api.v1alpha1.Plugin", method, payload }),
    }),
  );
const eventPayload = (bytes: number): Buffer =>
  encodeMessage("EventRequest", { pod: { id: "p" }, container: { id: "x".repeat(bytes) } });

/** Bytes that are held outside the garbage collector's own heap as well. */
function measureHeld(): number {
  Bun.gc(true);
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

function uint32s(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, at) => void bytes.writeUInt32BE(number, at * 4));
  return bytes;
}

describe("what is announced takes no memory", () => {
  const chunk = Buffer.alloc(1 << 20);
  for (const [name, header] of [
    ["a frame of 4 GiB for a connection that nobody reads", uint32s(7, 0xffffffff)],
    [
      "a frame and a message of 4 GiB",
      Buffer.concat([uint32s(1, 0xffffffff, 0xffffffff, 1), Buffer.of(1, 0)]),
    ],
    ["a message of 4 MiB", Buffer.concat([uint32s(1, 0xffffffff, 4 << 20, 1), Buffer.of(1, 0)])],
  ] as const) {
    test(name, () => {
      const { receive } = open();
      const before = measureHeld();
      receive(header);
      expect(measureHeld() - before).toBeLessThan(1 << 20);
    });
  }

  test("64 MiB of one frame that goes on for ever leave nothing behind", () => {
    for (const connection of [7, 1]) {
      const { receive } = open();
      const before = measureHeld();
      receive(uint32s(connection, 0xffffffff, 0xffffffff, 1));
      receive(Buffer.of(1, 0));
      for (let i = 0; i < 64; i++) receive(chunk);
      expect(measureHeld() - before).toBeLessThan(8 << 20);
    }
  });

  test("4 MiB that come byte by byte are kept as bytes", () => {
    const { receive } = open();
    receive(Buffer.concat([uint32s(1, 0xffffffff, 4 << 20, 1), Buffer.of(1, 0)]));
    const before = measureHeld();
    const byte = Buffer.of(0);
    for (let i = 0; i < 1 << 20; i++) receive(byte);
    expect(measureHeld() - before).toBeLessThan(16 << 20);
  });
});

describe("a flood", () => {
  test("more than 1,024 requests at once are refused; the others are answered when they can be", async () => {
    const held = Promise.withResolvers<void>();
    const { receive, streamIds, events, closedBecause } = open(undefined, () => held.promise);
    for (let i = 0; i < 3000; i++) receive(toRequest(i * 2 + 1, "StopContainer", eventPayload(10)));
    expect(streamIds).toHaveLength(3000 - 1024);
    held.resolve();
    await settle();
    expect(new Set(streamIds).size).toBe(3000);
    expect(streamIds).toHaveLength(3000);
    expect(closedBecause()).toBeUndefined();
    expect(events()).toBe(1024);
    receive(toRequest(6001, "StopContainer", eventPayload(10)));
    await settle();
    expect(events()).toBe(1025);
  });

  test("the requests in work are of 64 MiB at most", async () => {
    const held = Promise.withResolvers<void>();
    const { receive, streamIds } = open(undefined, () => held.promise);
    for (let i = 0; i < 24; i++) receive(toRequest(i * 2 + 1, "StopContainer", eventPayload(4_000_000)));
    expect(streamIds).toHaveLength(24 - 16);
    held.resolve();
    await settle();
    expect(streamIds).toHaveLength(24);
  });

  test("20,000 events one after the other leave nothing behind", async () => {
    const { receive, streamIds } = open();
    const payload = eventPayload(100);
    const run = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        receive(toRequest(i * 2 + 1, "StopContainer", payload));
        if (i % 500 === 0) await settle();
      }
      await settle();
      streamIds.length = 0;
    };
    await run(0, 5_000);
    const before = measureHeld();
    await run(5_000, 25_000);
    expect(measureHeld() - before).toBeLessThan(8 << 20);
  });

  test("answers that nobody reads end the connection", () => {
    let queued = 0;
    const { receive, closedBecause } = open(() => queued);
    receive(toRequest(2, "StopContainer", eventPayload(10)));
    expect(closedBecause()).toBeUndefined();
    queued = (16 << 20) + 1;
    receive(toRequest(4, "StopContainer", eventPayload(10)));
    expect(closedBecause()).toContain("does not read");
  });

  test("an inventory beyond the bounds is taken as far as they go, and the plugin serves", async () => {
    const part = (n: number, more: boolean) =>
      encodeMessage("SynchronizeRequest", {
        containers: [{ id: `c${n}`, env: ["x".repeat(4_000_000)] }],
        more,
      });
    const { receive, closedBecause, inventories } = open();
    for (let i = 0; i < 80; i++) {
      receive(toRequest(i * 2 + 1, "Synchronize", part(i, i < 79)));
      await settle();
    }
    expect(closedBecause()).toBeUndefined();
    const [whole] = inventories();
    expect(whole?.containers).toHaveLength(67);
    expect(whole?.omitted).toBe(13);
  });

  test("containers without an id, two million of them, are not kept", async () => {
    const { receive, closedBecause, inventories } = open();
    const before = measureHeld();
    receive(toRequest(1, "Synchronize", Buffer.alloc(4_000_000, Buffer.of(0x12, 0))));
    expect(measureHeld() - before).toBeLessThan(32 << 20);
    await settle();
    expect(closedBecause()).toBeUndefined();
    expect(inventories()[0]).toMatchObject({ containers: [], omitted: 2_000_000 });
  });
});

describe("a synchronization in one message of more than 4 MiB", () => {
  const env = Array.from({ length: 13 }, () => "x".repeat(120 << 10));
  const containers = Array.from({ length: 40 }, (_, n) => ({ id: `c${n}`, name: `app-${n}`, env }));
  const payload = encodeMessage("SynchronizeRequest", { pods: [{ id: "p" }], containers });

  test("is taken whole, and what is not read of it is not kept", async () => {
    const message = toRequest(1, "Synchronize", payload);
    const { receive, streamIds, inventories } = open();
    const before = measureHeld();
    for (let at = 0; at < message.length; at += 65_536) receive(message.subarray(at, at + 65_536));
    await waitFor("its bytes are given back", () => measureHeld() - before < 8 << 20);
    expect(streamIds).toEqual([1]);
    const [whole] = inventories();
    expect(whole?.pods.map(({ id }) => id)).toEqual(["p"]);
    expect(whole?.containers.map(({ name }) => name)).toEqual(containers.map(({ name }) => name));
    expect(whole?.sizes.get("c7")).toBeGreaterThan(13 * (120 << 10));
    expect(whole?.omitted).toBe(0);
  });

  test("is taken in pieces of any size, and what follows is served", async () => {
    const small = containers.slice(0, 3);
    const message = Buffer.concat([
      toRequest(1, "Synchronize", encodeMessage("SynchronizeRequest", { containers: small })),
      toRequest(3, "StopContainer", eventPayload(10)),
    ]);
    for (const size of [1, 7, 4096, message.length]) {
      const { receive, streamIds, inventories, events } = open();
      for (let at = 0; at < message.length; at += size) receive(message.subarray(at, at + size));
      await settle();
      expect(streamIds).toEqual([1, 3]);
      expect(inventories()[0]?.containers).toHaveLength(3);
      expect(events()).toBe(1);
    }
  }, 60_000);

  test("a container that is larger than any that a runtime makes is left out; the others are taken", async () => {
    const large = { id: "large", env: ["x".repeat((16 << 20) + 1)] };
    const { receive, inventories } = open();
    const request = encodeMessage("SynchronizeRequest", { containers: [{ id: "a" }, large, { id: "b" }] });
    receive(toRequest(1, "Synchronize", request));
    await settle();
    expect(inventories()[0]?.containers.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(inventories()[0]?.omitted).toBe(1);
  });

  test("another request of that size is refused, and what follows is served", async () => {
    const { receive, streamIds, events, refused, closedBecause } = open();
    receive(toRequest(1, "StopContainer", eventPayload(5_000_000)));
    expect(refused()).toEqual(["StopContainer: the request is larger than 4 MiB"]);
    receive(toRequest(3, "StopContainer", eventPayload(10)));
    await settle();
    expect(streamIds).toEqual([1, 3]);
    expect(events()).toBe(1);
    expect(closedBecause()).toBeUndefined();
  });
});

describe("a message that does not go on", () => {
  const large = toRequest(
    1,
    "Synchronize",
    encodeMessage("SynchronizeRequest", { containers: [{ id: "c", env: ["x".repeat(5_000_000)] }] }),
  );
  const small = toRequest(1, "StopContainer", eventPayload(10_000));
  for (const [name, bytes] of [
    ["large", large.subarray(0, 4104)],
    ["small", small.subarray(0, 4104)],
    ["with half a header", small.subarray(0, 12)],
  ] as const) {
    test(`ends the connection after three seconds: one that is ${name}`, () => {
      const { receive, endStalledAfter, closedBecause } = open();
      receive(bytes);
      endStalledAfter(2999);
      expect(closedBecause()).toBeUndefined();
      endStalledAfter(1);
      expect(closedBecause()).toBe("the runtime stopped in the middle of a message");
    });
  }

  test("is not one that is whole: a runtime may be silent between messages", async () => {
    const { receive, endStalledAfter, closedBecause } = open();
    receive(small);
    await settle();
    endStalledAfter(1_000_000);
    expect(closedBecause()).toBeUndefined();
  });
});
