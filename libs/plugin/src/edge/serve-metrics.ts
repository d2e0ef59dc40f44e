// SPDX-License-Identifier: Apache-2.0

import { describeError, err, ok, type Result } from "@rthooks/result";

/** Serves `render`'s text at /metrics; the error is for people. */
export function serveMetrics(address: string, render: () => string): Result<{ close(): void }, string> {
  const fetch = (request: Request): Response =>
    new URL(request.url).pathname === "/metrics"
      ? new Response(render(), { headers: { "content-type": "text/plain; version=0.0.4" } })
      : new Response("metrics are at /metrics\n", { status: 404 });
  try {
    const server = address.startsWith("unix://")
      ? Bun.serve({ unix: address.slice("unix://".length), fetch })
      : Bun.serve({ ...toEndpoint(address), fetch });
    return ok({ close: () => void server.stop(true) });
  } catch (error) {
    return err(`--metrics-address ${address}: ${describeError(error)}`);
  }
}

function toEndpoint(address: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (match === null) throw new Error("use host:port or unix:///path");
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port: Number(match[3]) };
}
