// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come, in whatever pieces: the library answers or ends the connection; it never throws, never says a
// thing twice, and keeps no more than one message.
import { describe, expect, test } from "bun:test";
import { openNriConnection } from "@rthooks/nri";
import fc from "fast-check";
import { decodeMessage, encodeMessage } from "../harness/nri-messages.ts";
import {
  createGoReader,
  createMuxReader,
  PLUGIN_SERVICE,
  RUNTIME_SERVICE,
  toMuxFrame,
  toTtrpcMessage,
  type WireMessage,
} from "../harness/nri-wire.ts";
import { allEvents, ok } from "./memory-plugin.ts";

interface Bare {
  receive(bytes: Uint8Array): void;
  readonly events: string[];
  /** Messages that the plugin sent, by connection. */
  readonly sent: Map<number, WireMessage[]>;
  closedBecause(): string | undefined;
  register(): ReturnType<ReturnType<typeof openNriConnection>["register"]>;
}

function openBare(queuedBytes?: () => number): Bare {
  const events: string[] = [];
  const sent = new Map<number, WireMessage[]>([
    [PLUGIN_SERVICE, []],
    [RUNTIME_SERVICE, []],
  ]);
  let closedBecause: string | undefined;
  let isPortClosed = false;
  const readers = new Map(
    [...sent].map(([connection, messages]) => [
      connection,
      createGoReader({
        onMessage: (message) => messages.push(message),
        onOversize: () => expect("an oversize message").toBe("sent by the plugin"),
        onNoMemory: () => expect("a frame that Go refuses").toBe("sent by the plugin"),
      }),
    ]),
  );
  const receiveSent = createMuxReader((connection, payload) => readers.get(connection)?.(payload));
  const connection = openNriConnection(
    {
      send(bytes) {
        expect(isPortClosed).toBe(false);
        receiveSent(bytes);
      },
      close() {
        isPortClosed = true;
      },
      ...(queuedBytes === undefined ? {} : { queuedBytes }),
    },
    {
      configure: () => ok(allEvents),
      synchronize: () => ok(undefined),
      event({ name, container }) {
        events.push(`${name} ${container?.id}`);
        return ok(undefined);
      },
      closed(reason) {
        expect(closedBecause).toBeUndefined();
        closedBecause = reason;
      },
    },
    () => 0,
  );
  return {
    receive: connection.receive,
    events,
    sent,
    closedBecause: () => closedBecause,
    register: () => connection.register("tetragon", "10"),
  };
}

const request = (streamId: number, id: string, padding = 0, method = "StopContainer"): Buffer => {
  const payload = encodeMessage("EventRequest", {
    pod: { id: "p" },
    container: { id, args: ["x".repeat(padding)] },
  });
  const fields = { service: "nri.pkg.api.v1alpha1.Plugin", method, payload };
  return toTtrpcMessage({ streamId, type: 1, body: encodeMessage("ttrpc.Request", fields) });
};

const answersOf = (bare: Bare) => bare.sent.get(PLUGIN_SERVICE) ?? [];
const codeOf = ({ body }: WireMessage): number => {
  // The names are those of the message's definition.
  const { status } = decodeMessage("ttrpc.Response", body) as { status?: { code?: number } };
  return status?.code ?? 0;
};
/** The handlers are asynchronous, and nothing in them waits. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

const cutAt = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, at) => new Uint8Array(bytes.subarray(places[at], place)));
};
/** Each piece is wiped afterwards: nobody may keep what it was lent. */
const deliver = (bare: Bare, pieces: readonly Uint8Array[]): void => {
  for (const piece of pieces) {
    const lent = new Uint8Array(piece);
    bare.receive(lent);
    lent.fill(0xee);
  }
};

describe("fragments", () => {
  const stream = Buffer.concat([toMuxFrame(1, request(1, "a")), toMuxFrame(1, request(3, "b"))]);

  test("a cut at every byte changes nothing", async () => {
    for (let at = 0; at <= stream.length; at++) {
      const bare = openBare();
      deliver(bare, cutAt(stream, [at]));
      await settle();
      expect(bare.events).toEqual(["StopContainer a", "StopContainer b"]);
      expect(answersOf(bare).map(({ streamId }) => streamId)).toEqual([1, 3]);
    }
  });

  test("the trunk and its frames may be cut anywhere, with other connections in between", async () => {
    const foreign = fc.record({
      id: fc.constantFrom(0, 3, 7, 0xffffffff),
      bytes: fc.uint8Array({ maxLength: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ padding: fc.nat(9000), cuts: fc.array(fc.nat(), { maxLength: 6 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.array(foreign, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        async (messages, others, trunkCuts) => {
          const bare = openBare();
          const registered = bare.register();
          // The answer to the registration goes on its own connection, cut into single bytes.
          const answer = [...toTtrpcMessage({ streamId: 1, type: 2, body: Buffer.alloc(0) })];
          const frames = messages.flatMap(({ padding, cuts }, at) => [
            ...cutAt(request(at * 2 + 1, `c${at}`, padding), cuts).flatMap((piece) => {
              const other = others[piece.length % others.length];
              const byte = answer.shift();
              return [
                toMuxFrame(1, piece),
                ...(other === undefined ? [] : [toMuxFrame(other.id, other.bytes)]),
                ...(byte === undefined ? [] : [toMuxFrame(2, Buffer.of(byte))]),
              ];
            }),
          ]);
          const rest = answer.map((byte) => toMuxFrame(2, Buffer.of(byte)));
          deliver(bare, cutAt(Buffer.concat([...frames, ...rest]), trunkCuts));
          expect((await registered).ok).toBe(true);
          await settle();
          expect(bare.events).toEqual(messages.map((_, at) => `StopContainer c${at}`));
          expect(answersOf(bare).map(({ streamId }) => streamId)).toEqual(
            messages.map((_, at) => at * 2 + 1),
          );
          expect(bare.closedBecause()).toBeUndefined();
        },
      ),
      { numRuns: 150 },
    );
  });

  test("frames without payload are passed over", async () => {
    const bare = openBare();
    const empty = toMuxFrame(1, Buffer.alloc(0));
    deliver(bare, [empty, empty, stream, empty]);
    await settle();
    expect(answersOf(bare)).toHaveLength(2);
  });
});

describe("a message that breaks a rule", () => {
  for (const [name, ids, codes] of [
    ["an even stream id", [2, 3], [3, 0]],
    ["the id 0", [0, 1], [3, 0]],
    ["an id that was used", [5, 5, 7], [3, 0, 0]],
    ["an id below the last", [5, 3, 7], [3, 0, 0]],
  ] as const) {
    test(`${name} is INVALID_ARGUMENT, and what follows is served`, async () => {
      const bare = openBare();
      for (const id of ids) bare.receive(toMuxFrame(1, request(id, "c")));
      await settle();
      // Refusals come at once, answers of handlers a moment later.
      expect(answersOf(bare).map(codeOf)).toEqual([...codes]);
      expect(bare.closedBecause()).toBeUndefined();
    });
  }

  test("an unknown service, and a method that is none, are UNIMPLEMENTED", async () => {
    const bare = openBare();
    const fields = { service: "nri.pkg.api.v1alpha1.Runtime", method: "StopContainer" };
    bare.receive(
      toMuxFrame(1, toTtrpcMessage({ streamId: 1, type: 1, body: encodeMessage("ttrpc.Request", fields) })),
    );
    for (const [at, method] of [
      "",
      "startContainer",
      "__proto__",
      "constructor",
      "UpdatePodSandbox",
    ].entries()) {
      bare.receive(toMuxFrame(1, request(3 + at * 2, "c", 0, method)));
    }
    await settle();
    expect(answersOf(bare).map(codeOf)).toEqual([12, 12, 12, 12, 12, 12]);
    expect(bare.events).toEqual([]);
  });

  for (const type of [0, 2, 3, 4, 255]) {
    test(`type ${type} where requests are expected ends the connection`, () => {
      const bare = openBare();
      bare.receive(toMuxFrame(1, toTtrpcMessage({ streamId: 1, type, body: Buffer.from("x") })));
      expect(bare.closedBecause()).toContain(`type ${type}`);
      bare.receive(toMuxFrame(1, request(1, "c")));
      expect(bare.events).toEqual([]);
    });
  }

  test("a body of more than 4 MiB is RESOURCE_EXHAUSTED, and what follows is served", async () => {
    const bare = openBare();
    bare.receive(toMuxFrame(1, toTtrpcMessage({ streamId: 1, type: 1, body: Buffer.alloc((4 << 20) + 1) })));
    bare.receive(toMuxFrame(1, request(3, "c")));
    await settle();
    expect(answersOf(bare).map(codeOf)).toEqual([8, 0]);
    expect(bare.events).toEqual(["StopContainer c"]);
  });

  test("a body of 4 MiB is taken", async () => {
    const bare = openBare();
    const overhead = request(1, "c", 4_000_000).length - 4_000_000;
    const message = request(1, "c", (4 << 20) + 10 - overhead);
    expect(message.length).toBe((4 << 20) + 10);
    bare.receive(toMuxFrame(1, message));
    await settle();
    expect(answersOf(bare).map(codeOf)).toEqual([0]);
  });

  test("a body that is no request is INVALID_ARGUMENT; a payload that is no message is INTERNAL", async () => {
    const bare = openBare();
    bare.receive(toMuxFrame(1, toTtrpcMessage({ streamId: 1, type: 1, body: Buffer.from([0xff]) })));
    const fields = {
      service: "nri.pkg.api.v1alpha1.Plugin",
      method: "StartContainer",
      payload: Buffer.from([0x0a, 0x7f]),
    };
    const body = encodeMessage("ttrpc.Request", fields);
    bare.receive(toMuxFrame(1, toTtrpcMessage({ streamId: 3, type: 1, body })));
    await settle();
    expect(answersOf(bare).map(codeOf)).toEqual([3, 13]);
  });

  test("an answer to no call of the plugin's is passed over", async () => {
    const bare = openBare();
    const registered = bare.register();
    for (const streamId of [3, 2, 0, 1]) {
      bare.receive(toMuxFrame(2, toTtrpcMessage({ streamId, type: 2, body: Buffer.alloc(0) })));
    }
    expect((await registered).ok).toBe(true);
    expect(bare.closedBecause()).toBeUndefined();
  });
});

describe("garbage", () => {
  test("no bytes make it throw, or answer what it was not asked", async () => {
    const frame = fc
      .record({
        connection: fc.constantFrom(0, 1, 1, 1, 2, 9),
        streamId: fc.nat(9),
        type: fc.constantFrom(0, 1, 1, 1, 2, 3, 9),
        body: fc.uint8Array({ maxLength: 60 }),
      })
      .map(({ connection, streamId, type, body }) =>
        toMuxFrame(connection, toTtrpcMessage({ streamId, type, body: Buffer.from(body) })),
      );
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(frame, noise), { maxLength: 20 }), async (parts) => {
        const bare = openBare();
        void bare.register();
        for (const part of parts) bare.receive(part);
        await settle();
        expect(answersOf(bare).length).toBeLessThanOrEqual(parts.length * 200);
        expect(bare.sent.get(RUNTIME_SERVICE)).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });

  test("a request that was changed in some bytes is answered once at most", async () => {
    const good = request(1, "c", 100);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 11), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        async (changes) => {
          const message = Buffer.from(good);
          for (const [at, value] of changes) message[10 + at] = value;
          const bare = openBare();
          bare.receive(toMuxFrame(1, message));
          await settle();
          expect(answersOf(bare)).toHaveLength(1);
          bare.receive(toMuxFrame(1, request(3, "next")));
          await settle();
          expect(answersOf(bare).map(codeOf)[1]).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
