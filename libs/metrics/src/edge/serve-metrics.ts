// SPDX-License-Identifier: Apache-2.0

import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { describeError, err, ok, type Result } from "@rthooks/result";

interface MetricsServer {
  close(): void;
}

const UNIX = "unix://";
const GRAMMAR = "use host:port or unix:///path";

/** Serves `render`'s text at /metrics; the error is for people, and goes on from the name of the flag. */
export async function serveMetrics(
  address: string,
  render: () => Promise<string>,
): Promise<Result<MetricsServer, string>> {
  const fetch = async (request: Request): Promise<Response> =>
    new URL(request.url).pathname === "/metrics"
      ? new Response(await render(), { headers: { "content-type": "text/plain; version=0.0.4" } })
      : new Response("metrics are at /metrics\n", { status: 404 });
  try {
    if (address.startsWith(UNIX)) {
      const unix = address.slice(UNIX.length);
      if (!unix.startsWith("/")) throw new Error(GRAMMAR);
      // A program that was killed leaves its socket behind, which would keep the next one from its place.
      if (await isDead(unix)) rmSync(unix);
      return ok(toServer(Bun.serve({ unix, fetch })));
    }
    return ok(toServer(Bun.serve({ ...toEndpoint(address), fetch })));
  } catch (error) {
    return err(`${address}: ${describeError(error)}`);
  }
}

const toServer = (server: { stop(closeConnections: boolean): unknown }): MetricsServer => ({
  close: () => void server.stop(true),
});

/** A socket that nobody listens on. Connecting to any other file is refused as well. */
async function isDead(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (dead: boolean) => () => {
      socket.destroy();
      resolve(dead);
    };
    socket.on("connect", answer(false));
    socket.on("error", (error) => answer("code" in error && error.code === "ECONNREFUSED")());
  });
}

function toEndpoint(address: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (match === null) throw new Error(GRAMMAR);
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port: Number(match[3]) };
}
