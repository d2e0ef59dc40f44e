// SPDX-License-Identifier: Apache-2.0
// The connection to an agent that misbehaves: each call is answered once, in time, and the next finds a good agent.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveFlags } from "@rthooks/flags";
import { hookFlags } from "@rthooks/hold";
import { type GrpcOutcome, type GrpcSession, openGrpcSession } from "./grpc-session.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rth-grpc-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
const newPath = (): string => join(dir, `${++count}.sock`);

async function using(path: string, work: (session: GrpcSession, whenReady: Promise<void>) => Promise<void>) {
  const ready = Promise.withResolvers<void>();
  const config = resolveFlags(hookFlags);
  const session = openGrpcSession({ kind: "unix", path, text: `unix://${path}` }, config, () =>
    ready.resolve(),
  );
  try {
    await work(session, ready.promise);
  } finally {
    session.close();
  }
}

const call = (session: GrpcSession, timeoutMs = 1_000, bytes = 3): Promise<GrpcOutcome> =>
  new Promise((resolve) => {
    session.call(
      {
        path: "/s/M",
        message: new Uint8Array(bytes).fill(7),
        timeoutMs,
        userAgent: "test/1",
        isTrusted: true,
      },
      resolve,
    );
  });

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve) => server.listen(path, resolve));

type Answer = (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, body: Buffer) => void;

function createAnswering(answer: Answer): Http2Server {
  const server = createHttp2Server();
  server.on("sessionError", () => {});
  server.on("session", (session) =>
    session.on("stream", (stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on("error", () => {});
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => answer(stream, headers, Buffer.concat(pieces)));
    }),
  );
  return server;
}

/** An HTTP/2 server that is well but for what it answers. */
async function withServer(answer: Answer, work: (path: string) => Promise<void>): Promise<void> {
  const path = newPath();
  const server = createAnswering(answer);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await work(path);
  } finally {
    server.close();
  }
}

const frame = (bytes: readonly number[]): Buffer => Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]);

/** With the status in trailers, behind what was written. */
function respond(stream: ServerHttp2Stream, body: Buffer, status: Readonly<Record<string, string>>): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ ...status }));
  stream.end(body);
}

describe("an agent", () => {
  test("gets the message whole, with the headers of gRPC and of a caller that is believed", async () => {
    let seen: unknown;
    await withServer(
      (stream, headers, body) => {
        seen = { headers: { ...headers }, body: [...body] };
        respond(stream, frame([1, 2]), { "grpc-status": "0" });
      },
      (path) =>
        using(path, async (session, whenReady) => {
          await whenReady;
          expect(await call(session)).toEqual({ kind: "answer", message: new Uint8Array([1, 2]) });
        }),
    );
    expect(seen).toMatchObject({
      headers: {
        ":path": "/s/M",
        ":method": "POST",
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": "1000m",
        "user-agent": "test/1",
        "rthooks-vouched": "1",
      },
      body: [0, 0, 0, 0, 3, 7, 7, 7],
    });
  });

  const answers: Readonly<Record<string, readonly [Answer, Partial<GrpcOutcome>]>> = {
    "an empty message": [
      (stream) => respond(stream, frame([]), { "grpc-status": "0" }),
      { kind: "answer", message: new Uint8Array() },
    ],
    "an error": [
      (stream) => respond(stream, Buffer.alloc(0), { "grpc-status": "7", "grpc-message": "not%20you" }),
      { kind: "status", code: 7, message: "not you" },
    ],
    "an error in its headers": [
      (stream) =>
        stream.respond({ ":status": 200, "grpc-status": "12", "grpc-message": "no" }, { endStream: true }),
      { kind: "status", code: 12, message: "no" },
    ],
    "half a message": [
      (stream) => respond(stream, Buffer.from([0, 0, 0, 0, 9, 1]), { "grpc-status": "0" }),
      { kind: "status", code: 13 },
    ],
    "more than a message": [
      (stream) => respond(stream, Buffer.alloc(70_000), { "grpc-status": "0" }),
      { kind: "status", code: 13, message: expect.stringContaining("too large") },
    ],
    "no status": [
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.end(frame([1]));
      },
      { kind: "lost" },
    ],
    "a reset": [(stream) => stream.close(2), { kind: "lost" }],
    nothing: [() => {}, { kind: "status", code: 4, message: "context deadline exceeded" }],
  };
  test.each(Object.entries(answers))("that answers %s", (_name, [answer, outcome]) =>
    withServer(answer, (path) =>
      using(path, async (session, whenReady) => {
        await whenReady;
        expect(await call(session, 200)).toEqual(expect.objectContaining(outcome));
      }),
    ),
  );

  test("is asked by 500 calls at once, and each has its own answer", () =>
    withServer(
      (stream, _headers, body) => respond(stream, frame([body.length]), { "grpc-status": "0" }),
      (path) =>
        using(path, async (session, whenReady) => {
          await whenReady;
          const lengths = Array.from({ length: 500 }, (_, at) => at % 200);
          const outcomes = await Promise.all(lengths.map((length) => call(session, 10_000, length)));
          expect(outcomes.map((outcome) => outcome.kind === "answer" && outcome.message[0])).toEqual(
            lengths.map((length) => length + 5),
          );
        }),
    ));
});

describe("a peer that is no agent", () => {
  const peers: Readonly<Record<string, (socket: Socket) => void>> = {
    "is silent": () => {},
    "hangs up": (socket) => socket.destroy(),
    "speaks HTTP/1": (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "sends garbage": (socket) => socket.write(Buffer.alloc(100_000, 0xff)),
    "sends a frame of 16 MiB": (socket) => socket.write(Buffer.from([255, 255, 255, 0, 0, 0, 0, 0, 1])),
    "goes away at once": (socket) =>
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
  };
  test.each(Object.entries(peers))(
    "%s: the call fails in time, and an agent in its place is found",
    async (_name, behave) => {
      const path = newPath();
      const sockets = new Set<Socket>();
      const peer = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("data", () => {});
        behave(socket);
      });
      await listen(peer, path);
      await using(path, async (session, whenReady) => {
        const outcome = await call(session, 150);
        expect(outcome.kind === "lost" || (outcome.kind === "status" && outcome.code === 4)).toBe(true);
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => peer.close(resolve));
        rmSync(path, { force: true });
        const server = createAnswering((stream) => respond(stream, frame([1]), { "grpc-status": "0" }));
        await new Promise<void>((resolve) => server.listen(path, resolve));
        await whenReady;
        // The readiness may be of a moment that a misbehaving peer gave.
        let last: GrpcOutcome = { kind: "lost" };
        for (let tries = 0; tries < 50 && last.kind !== "answer"; tries++) {
          last = await call(session, 500);
          await Bun.sleep(20);
        }
        expect(last.kind).toBe("answer");
        server.close();
      });
    },
  );

  test("is not there: the call is lost at once", () =>
    using(newPath(), async (session) => {
      await Bun.sleep(5);
      expect(await call(session, 5_000)).toEqual({ kind: "lost" });
      expect(session.isReady()).toBe(false);
    }));
});
