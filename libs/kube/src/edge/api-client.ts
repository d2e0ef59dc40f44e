// SPDX-License-Identifier: Apache-2.0
// Requests to an API server, with Bun's fetch. The official client is not used: Bun ignores its TLS settings.

import { err, ok, type Result } from "@rthooks/result";
import type { Level, Reduced } from "../core/bounded-document.ts";
import { createReconnectLine, type ReconnectLine, type ReconnectWindows } from "../core/reconnect-line.ts";
import { type ApiError, describeFetchError, isTlsError, noAnswer, toApiError } from "./api-error.ts";
import { type Authorizer, createAuthorizer, type Endpoint, type FindAccess } from "./authorizer.ts";
import { readDocument, readLines } from "./read-documents.ts";
import { sleep } from "./sleep.ts";

interface GetOptions {
  readonly timeoutMs: number;
  /** The representation that is asked for; JSON of the whole object without it. */
  readonly accept?: string;
  /** How an answer is reduced when it is too large. */
  readonly levels: readonly Level[];
}

interface WriteOptions extends GetOptions {
  readonly method: "POST" | "PUT";
  /** Sent as JSON. */
  readonly body: unknown;
  /** The request is given up when it aborts; the server may have carried it out. */
  readonly signal: AbortSignal;
}

interface StreamOptions {
  readonly accept?: string;
  readonly levels: readonly Level[];
  /** Called for each line; undefined for a line that exceeds even the last level. */
  onDocument(document: Reduced | undefined): void;
  /** Called when the response begins and whenever bytes arrive. */
  onBytes(): void;
  readonly signal: AbortSignal;
}

export interface ApiClient {
  get(path: string, options: GetOptions): Promise<Result<Reduced, ApiError>>;
  /** Gives the server's answer to the write, usually the object as it is stored. */
  write(path: string, options: WriteOptions): Promise<Result<Reduced, ApiError>>;
  /** Reads the lines of a response as they arrive, until the server ends it. */
  stream(path: string, options: StreamOptions): Promise<Result<void, ApiError>>;
  /** Whether the server answers at all. Concurrent calls share one request. */
  probe(): Promise<Result<void, ApiError>>;
  /** Time since bytes of the server arrived, on any connection of this client. */
  silenceMs(): number;
  /** By which the watches of this client reconnect. */
  readonly reconnects: ReconnectLine;
}

const PROBE_TIMEOUT_MS = 5000;
const JSON_TYPE = "application/json";
/** At 1,000 nodes the first window spreads a restart of the API server over 200 requests in a second. */
const usualWindows: ReconnectWindows = { firstMs: 5000, longestMs: 30_000 };

/** What a request sends beside its path. */
interface Sent {
  readonly method: "GET" | "POST" | "PUT";
  readonly body?: string;
  readonly accept?: string | undefined;
  /** The connection may be one of before, and is kept for others: for many requests, each of which may be sent again. */
  readonly keepalive?: boolean;
}
const GET: Sent = { method: "GET" };

/** `findAccess` is called once a minute, and after each failure. */
export function openApiClient(
  findAccess: FindAccess,
  userAgent: string,
  windows: ReconnectWindows = usualWindows,
): ApiClient {
  const authorizer = createAuthorizer(findAccess);
  const clock = { nowMs: () => performance.now(), sleep };
  let heardMs = performance.now();
  const hear = (): void => {
    heardMs = performance.now();
  };
  let probing: Promise<Result<void, ApiError>> | undefined;

  const send = async (
    path: string,
    signal: AbortSignal,
    { accept = JSON_TYPE, keepalive = false, ...sent }: Sent = GET,
  ): Promise<Result<{ readonly response: Response; readonly endpoint: Endpoint }, ApiError>> => {
    for (let isFirst = true; ; isFirst = false) {
      const found = await orAborted(authorizer.authorize(), signal);
      if (!found.ok) return err({ ...noAnswer(found.error.message), isLocal: found.error.isLocal });
      const endpoint = found.value;
      let response: Response;
      try {
        response = await fetch(endpoint.server + path, {
          headers: {
            ...endpoint.headers,
            accept,
            // A small compressed response can be large in memory.
            "accept-encoding": "identity",
            "user-agent": userAgent,
            ...(sent.body === undefined ? {} : { "content-type": JSON_TYPE }),
          },
          ...sent,
          // A redirect would send the token to another server.
          redirect: "error",
          // A dead connection must not be reused for the next watch.
          keepalive,
          ...(endpoint.proxy === "" ? {} : { proxy: endpoint.proxy }),
          signal,
          tls: endpoint.tls,
        });
      } catch (error) {
        authorizer.renew(endpoint, isTlsError(error) ? "tls" : "no answer");
        return err(noAnswer(`${endpoint.name}: ${describeFetchError(error)}`));
      }
      hear();
      if (response.ok) return ok({ response, endpoint });
      if (response.status !== 401 || !isFirst) return err(await toApiError(endpoint.name, response));
      await response.body?.cancel();
      authorizer.renew(endpoint, "refused");
    }
  };

  const probe = async (): Promise<Result<void, ApiError>> => {
    const sent = await send("/livez", AbortSignal.timeout(PROBE_TIMEOUT_MS));
    if (sent.ok) await sent.value.response.body?.cancel();
    // Unauthorized is an answer, too.
    return sent.ok || (sent.error.status > 0 && sent.error.status < 500) ? ok(undefined) : sent;
  };

  const request = async (
    path: string,
    levels: readonly Level[],
    signal: AbortSignal,
    what: Sent,
  ): Promise<Result<Reduced, ApiError>> => {
    const sent = await send(path, signal, what);
    if (!sent.ok) return sent;
    const { response, endpoint } = sent.value;
    const read = await readDocument(response, levels);
    if (read.ok) return read;
    const isTooLarge = read.error.isTooLarge || signal.aborted;
    return err({ ...noAnswer(`${endpoint.name}: ${read.error.message}`), isTooLarge });
  };

  return {
    get: (path, { timeoutMs, levels, accept }) =>
      request(path, levels, AbortSignal.timeout(timeoutMs), { ...GET, accept }),
    write: (path, { method, body, timeoutMs, levels, signal }) =>
      request(path, levels, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), {
        method,
        body: JSON.stringify(body),
        keepalive: true,
      }),
    async stream(path, { levels, onDocument, onBytes, signal, accept }) {
      const sent = await send(path, signal, { ...GET, accept });
      if (!sent.ok) return sent;
      const { response, endpoint } = sent.value;
      onBytes();
      const read = await readLines(response, levels, onDocument, () => {
        hear();
        onBytes();
      });
      return read.ok ? read : err(noAnswer(`${endpoint.name}: ${read.error}`));
    },
    probe() {
      probing ??= probe().finally(() => {
        probing = undefined;
      });
      return probing;
    },
    silenceMs: () => performance.now() - heardMs,
    reconnects: createReconnectLine(windows, clock, Math.random),
  };
}

/** Rejects at the request's own deadline: an exec plugin may take longer. */
async function orAborted(work: ReturnType<Authorizer["authorize"]>, signal: AbortSignal): typeof work {
  const { promise, resolve } = Promise.withResolvers<Awaited<typeof work>>();
  const abort = (): void => resolve(err({ message: describeFetchError(signal.reason), isLocal: false }));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
