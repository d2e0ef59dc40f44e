// SPDX-License-Identifier: Apache-2.0
// A small HTTP server for programs that poll: Prometheus and the kubelet.

import { lstatSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { ListenOptions, Socket } from "node:net";
import type { Logger } from "@rthooks/log";
import { isLoopback, parseAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { probeSocket } from "@rthooks/sys/unix-socket";

export interface TextServer {
  close(): void;
}

interface TextAnswer {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
}

export interface TextOptions {
  /** "metrics", for log lines. */
  readonly what: string;
  /** By the path of the request. */
  readonly pages: ReadonlyMap<string, () => Promise<TextAnswer>>;
  readonly log: Logger;
}

const GRAMMAR = "use host:port or unix:///path";
/** A bound, so that clients cannot use all file descriptors of the program. Prometheus needs one connection. */
const maxConnections = 32;
/** Timeout of a connection without a complete request. */
const silenceMs = 5000;

/** The error is one line that follows the name of the flag. */
export async function serveText(address: string, options: TextOptions): Promise<Result<TextServer, string>> {
  try {
    const endpoint = await toEndpoint(address);
    const server = createTextServer(options);
    await listen(server, endpoint);
    if (endpoint.host !== undefined && !isLoopback(endpoint.host)) {
      options.log.warn(`${options.what} are served to the network without authentication`, { address });
    }
    const close = (): void => {
      server.close();
      server.closeAllConnections();
    };
    return ok({ close });
  } catch (error) {
    return err(`${address}: ${describeError(error)}`);
  }
}

function createTextServer({ what, pages, log }: TextOptions): Server {
  /** In order of last use, the most recent one last. */
  const connections = new Set<Socket>();
  const server = createServer((request, response) => {
    connections.delete(request.socket);
    connections.add(request.socket);
    const page = pages.get(request.url?.split("?")[0] ?? "");
    if (page === undefined) {
      response.writeHead(404).end(`${what} are at ${[...pages.keys()].join(" and ")}\n`);
      return;
    }
    page().then(
      ({ status, text, contentType }) =>
        response.writeHead(status, { "content-type": contentType }).end(text),
      (error: unknown) => {
        log.error(`rendering the ${what} failed`, { err: describeError(error) });
        response.writeHead(500).end();
      },
    );
  });
  server.timeout = silenceMs;
  server.headersTimeout = silenceMs;
  server.requestTimeout = silenceMs;
  server.keepAliveTimeout = silenceMs;
  server.on("connection", (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    const [oldest] = connections;
    if (connections.size > maxConnections) oldest?.destroy();
  });
  return server;
}

function listen(server: Server, endpoint: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(endpoint, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** A socket on which no program listens. Other kinds of files refuse connections too. */
async function isStale(path: string): Promise<boolean> {
  const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  return isSocket && (await probeSocket(path)) === "refused";
}

/** Throws if the address is invalid. Without a host it listens on all IPv4 addresses. */
async function toEndpoint(text: string): Promise<ListenOptions> {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(GRAMMAR);
  const address = parsed.value;
  if (address.kind === "unix") {
    // The socket of a killed program would make listen(2) fail.
    if (await isStale(address.path)) rmSync(address.path);
    return { path: address.path };
  }
  const { scheme, host, port } = address;
  if (scheme !== "" || port === undefined) throw new Error(GRAMMAR);
  return { host: host || "0.0.0.0", port };
}
