// SPDX-License-Identifier: Apache-2.0
// GET requests to an API server. By Bun's fetch and not by the official client, whose TLS settings Bun does not apply.

import { err, ok, type Result } from "@rthooks/result";
import type { Level, Reduced } from "../core/bounded-document.ts";
import { type ApiError, describeFetchError, isTlsError, noAnswer, toApiError } from "./api-error.ts";
import { type Authorizer, createAuthorizer, type Endpoint, type FindAccess } from "./authorizer.ts";
import { readDocument, readLines } from "./read-documents.ts";

interface GetOptions {
  readonly timeoutMs: number;
  /** What is kept of an answer, from all to least. */
  readonly levels: readonly Level[];
}

interface StreamOptions {
  readonly levels: readonly Level[];
  /** Undefined: no level had room for that line. */
  onDocument(document: Reduced | undefined): void;
  /** At the answer's beginning and whenever something comes. */
  onBytes(): void;
  readonly signal: AbortSignal;
}

export interface ApiClient {
  get(path: string, options: GetOptions): Promise<Result<Reduced, ApiError>>;
  /** The lines of an answer as they come, until the server ends it. */
  stream(path: string, options: StreamOptions): Promise<Result<void, ApiError>>;
  /** Whether the server answers at all now. Calls at one time share one request. */
  probe(): Promise<Result<void, ApiError>>;
}

const PROBE_TIMEOUT_MS = 5000;

/** `findAccess` is asked once a minute, and after each failure. */
export function openApiClient(findAccess: FindAccess, userAgent: string): ApiClient {
  const authorizer = createAuthorizer(findAccess);
  let probing: Promise<Result<void, ApiError>> | undefined;

  const send = async (
    path: string,
    signal: AbortSignal,
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
            accept: "application/json",
            // Few bytes of a compressed answer may be many in memory.
            "accept-encoding": "identity",
            "user-agent": userAgent,
          },
          // A redirect could lead the token elsewhere.
          redirect: "error",
          // A connection that only looks alive must not be taken for the next request.
          keepalive: false,
          ...(endpoint.proxy === "" ? {} : { proxy: endpoint.proxy }),
          signal,
          tls: endpoint.tls,
        });
      } catch (error) {
        authorizer.renew(endpoint, isTlsError(error) ? "tls" : "no answer");
        return err(noAnswer(`${endpoint.name}: ${describeFetchError(error)}`));
      }
      if (response.ok) return ok({ response, endpoint });
      if (response.status !== 401 || !isFirst) return err(await toApiError(endpoint.name, response));
      await response.body?.cancel();
      authorizer.renew(endpoint, "refused");
    }
  };

  const probe = async (): Promise<Result<void, ApiError>> => {
    const sent = await send("/livez", AbortSignal.timeout(PROBE_TIMEOUT_MS));
    if (sent.ok) await sent.value.response.body?.cancel();
    // Who may not ask for this has an answer too.
    return sent.ok || (sent.error.status > 0 && sent.error.status < 500) ? ok(undefined) : sent;
  };

  return {
    async get(path, { timeoutMs, levels }) {
      const signal = AbortSignal.timeout(timeoutMs);
      const sent = await send(path, signal);
      if (!sent.ok) return sent;
      const { response, endpoint } = sent.value;
      const read = await readDocument(response, levels);
      if (read.ok) return read;
      const isTooLarge = read.error.isTooLarge || signal.aborted;
      return err({ ...noAnswer(`${endpoint.name}: ${read.error.message}`), isTooLarge });
    },
    async stream(path, { levels, onDocument, onBytes, signal }) {
      const sent = await send(path, signal);
      if (!sent.ok) return sent;
      const { response, endpoint } = sent.value;
      onBytes();
      const read = await readLines(response, levels, onDocument, onBytes);
      return read.ok ? read : err(noAnswer(`${endpoint.name}: ${read.error}`));
    },
    probe() {
      probing ??= probe().finally(() => {
        probing = undefined;
      });
      return probing;
    },
  };
}

/** An exec plugin may take its time; who asks for something else does not wait for it. */
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
