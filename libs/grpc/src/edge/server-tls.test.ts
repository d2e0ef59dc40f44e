// SPDX-License-Identifier: Apache-2.0
// Bounds of connections with TLS.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Server } from "@grpc/grpc-js";
import { must } from "@rthooks/result/must";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { boundConnections } from "./bound-connections.ts";
import { openServerTls } from "./server-tls.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-server-tls-"));
const cert = join(directory, "tls.crt");
const key = join(directory, "tls.key");
const directories = openDirectoryWatch();
const server = new Server({ "grpc.enable_channelz": 0 });
const evictions: string[] = [];
const failures: string[] = [];
const silent = (): void => {};
let port = 0;

beforeAll(async () => {
  Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
  ]);
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const tls = must(
    await openServerTls({ certFile: cert, keyFile: key, clientCaFiles: [] }, directories, log),
  );
  const bounds = { maxConnections: 3, maxConnectionBytes: 1000, maxTotalBytes: 1000 };
  boundConnections(server, bounds, {
    onEvicted: (why) => void evictions.push(why),
    onHandshakeFailure: (reason) => void failures.push(reason),
  });
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", tls.credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
});
afterAll(() => {
  server.forceShutdown();
  directories.close();
  rmSync(directory, { recursive: true });
});

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await Bun.sleep(1);
};

const settled = (session: ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => void session.once("remoteSettings", () => resolve()));

test("of connections too many the longest unused one is closed, whatever order they came in", async () => {
  const closed: string[] = [];
  const open = (name: string, socket?: Socket): ClientHttp2Session => {
    const ca = readFileSync(cert);
    const createConnection = (): TLSSocket =>
      connectTls({ socket, ca, servername: "localhost", ALPNProtocols: ["h2"] });
    const session = connect(`https://localhost:${port}`, { ca, ...(socket ? { createConnection } : {}) });
    session.on("error", silent);
    session.on("close", () => void closed.push(name));
    return session;
  };
  // Its connection comes first, and its handshake last.
  const early = connectTcp(port, "127.0.0.1");
  await new Promise<void>((resolve) => void early.once("connect", () => resolve()));
  const used = open("used");
  await settled(used);
  const unused = open("unused", early);
  await settled(unused);
  const call = used.request({ ":path": "/none", ":method": "POST", "content-type": "application/grpc" });
  call.end();
  call.resume();
  await new Promise<void>((resolve) => void call.once("close", () => resolve()));
  const rest = [open("third"), open("fourth")];
  await until(() => closed.length > 0);
  expect(closed).toEqual(["unused"]);
  expect(evictions).toEqual(["too many connections"]);
  for (const session of [used, ...rest]) session.destroy();
});

test("of handshakes that do not end the oldest one is closed, and a client gets through", async () => {
  const closed: number[] = [];
  const idle = Array.from({ length: 80 }, (_, at) => {
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", silent);
    socket.on("close", () => void closed.push(at));
    return socket;
  });
  await until(() => closed.length >= 16);
  const session = connect(`https://localhost:${port}`, { ca: readFileSync(cert) });
  await settled(session);
  expect(closed.length).toBeLessThanOrEqual(17);
  session.destroy();
  for (const socket of idle) socket.destroy();
});

test("a client without TLS is a failed handshake", async () => {
  failures.length = 0;
  const socket = connectTcp(port, "127.0.0.1", () => void socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  socket.on("error", silent);
  await until(() => failures.includes("ERR_SSL_WRONG_VERSION_NUMBER"));
  socket.destroy();
});
