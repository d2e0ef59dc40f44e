// SPDX-License-Identifier: Apache-2.0
// The hook's client against servers that others wrote, over a real unix socket.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drive } from "./drive.ts";
import { type EchoServer, startCCoreServer, startGrpcJsServer } from "./echo-servers.ts";

const MIB = 1024 * 1024;
const GOAWAY = 0x7;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.each([
  { name: "@grpc/grpc-js", start: startGrpcJsServer },
  { name: "gRPC C core", start: startCCoreServer },
])("$name", ({ start }) => {
  let directory = "";
  let server: EchoServer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "rthooks-wire-"));
    server = await start(directory);
  });

  afterAll(async () => {
    await server.kill();
    await rm(directory, { recursive: true, force: true });
  });

  const call = (method: string, message: Uint8Array, timeoutMs?: number) =>
    drive({
      socketPath: server.socketPath,
      path: `/wire.Echo/${method}`,
      message,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });

  test.each([
    { name: "empty", bytes: 0 },
    { name: "of one byte", bytes: 1 },
    { name: "of just the default window, prefix included", bytes: 65_530 },
    { name: "of a byte more", bytes: 65_531 },
    { name: "of 1 MiB", bytes: MIB },
    { name: "of 3 MiB", bytes: 3 * MIB },
  ])("a message $name comes back", async ({ bytes }) => {
    const message = Uint8Array.from({ length: bytes }, (_, index) => (index * 31) % 251);
    const outcome = await call("Echo", message);
    expect(outcome.kind).toBe("response");
    expect(outcome.kind === "response" && Buffer.compare(outcome.message, message)).toBe(0);
  });

  test("an answer of the greatest length is taken, and a larger one refused", async () => {
    const largest = await call("Size", encode(String(4 * MIB)));
    expect(largest.kind === "response" && largest.message.length).toBe(4 * MIB);
    expect(await call("Size", encode(String(4 * MIB + 1)))).toMatchObject({ kind: "status", code: 8 });
  });

  test("an error has its code and its message, whatever the characters", async () => {
    const message = "pod „grün“ is 100% unknown\n€";
    expect(await call("Fail", encode(`7 ${message}`))).toEqual({ kind: "status", code: 7, message });
  });

  test("an unknown method is unimplemented", async () => {
    expect(await call("Nope", new Uint8Array(0))).toMatchObject({ kind: "status", code: 12 });
  });

  test("the server learns of the deadline", async () => {
    expect(await call("Slow", new Uint8Array(0), 50)).toMatchObject({ kind: "status", code: 4 });
  });

  // The last ones, since the server stops.
  test("a call goes on while the server shuts down around it", async () => {
    const goneAway = Promise.withResolvers<void>();
    const received: Uint8Array[] = [];
    const outcome = drive({
      socketPath: server.socketPath,
      path: "/wire.Echo/Linger",
      message: encode("late"),
      onReceived(chunk) {
        received.push(chunk.slice());
        if (listFrameTypes(Buffer.concat(received)).includes(GOAWAY)) {
          goneAway.resolve();
        }
      },
    });
    await server.lingering;
    server.beginStop();
    await goneAway.promise;
    server.release();
    expect(await outcome).toEqual({ kind: "response", message: encode("late") });
  });
});

test("a server that is killed within the call leaves it lost, to be tried again", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rthooks-wire-"));
  try {
    const server = await startCCoreServer(directory);
    const outcome = drive({ socketPath: server.socketPath, path: "/wire.Echo/Linger" });
    await server.lingering;
    await server.kill();
    expect(await outcome).toMatchObject({ kind: "lost", retryable: true });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** Of the whole frames in these bytes. */
function listFrameTypes(bytes: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end <= bytes.length) {
      types.push(bytes.readUInt8(at + 3));
    }
    at = end;
  }
  return types;
}
