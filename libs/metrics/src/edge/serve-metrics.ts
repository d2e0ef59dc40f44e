// SPDX-License-Identifier: Apache-2.0

import { lstatSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { ListenOptions, Socket } from "node:net";
import type { Logger } from "@rthooks/log";
import { isLoopback, parseAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { probeSocket } from "@rthooks/sys/unix-socket";

interface MetricsServer {
  close(): void;
}

const GRAMMAR = "use host:port or unix:///path";
/** A bound, so that clients cannot use all file descriptors of the program. Prometheus needs one connection. */
const maxConnections = 32;
/** Timeout of a connection without a complete request. */
const silenceMs = 5000;

/** Serves the text of `render` at /metrics. The error is one line that follows the name of the flag. */
export async function serveMetrics(
  address: string,
  log: Logger,
  render: () => Promise<string>,
): Promise<Result<MetricsServer, string>> {
  try {
    const endpoint = await toEndpoint(address);
    const server = createMetricsServer(render, log);
    await listen(server, endpoint);
    if (endpoint.host !== undefined && !isLoopback(endpoint.host)) {
      log.warn("metrics are served to the network without authentication", { address });
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

function createMetricsServer(render: () => Promise<string>, log: Logger): Server {
  /** In order of last use, the most recent one last. */
  const connections = new Set<Socket>();
  const server = createServer((request, response) => {
    connections.delete(request.socket);
    connections.add(request.socket);
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("metrics are at /metrics\n");
      return;
    }
    render().then(
      (text) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(text),
      (error: unknown) => {
        log.error("rendering the metrics failed", { err: describeError(error) });
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
