// SPDX-License-Identifier: Apache-2.0
// GET requests to an API server. By Bun's fetch and not by the official client, whose TLS settings Bun does not apply.

import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ClusterAccess } from "../core/cluster-access.ts";
import { createAuthorizer } from "./authorizer.ts";
import { readLines } from "./read-lines.ts";

export interface ApiError {
  /** HTTP's; 0 where no answer came. */
  readonly status: number;
  /** For people, one line. */
  readonly message: string;
  /** What the server asks to wait; 0 where it says nothing. */
  readonly retryAfterMs: number;
}

export interface ApiClient {
  get(path: string, timeoutMs: number): Promise<Result<unknown, ApiError>>;
  /**
   * The lines of an answer as they come, until the server ends it. `idleMs`: silence that long is the end of a connection
   * which only looks alive.
   */
  stream(
    path: string,
    idleMs: number,
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<Result<void, ApiError>>;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function openApiClient(access: ClusterAccess, userAgent: string): ApiClient {
  const authorizer = createAuthorizer(access);

  const send = async (path: string, signal: AbortSignal): Promise<Result<Response, ApiError>> => {
    for (let isFirst = true; ; isFirst = false) {
      const identity = await authorizer.authorize();
      if (!identity.ok) return err({ status: 0, message: identity.error, retryAfterMs: 0 });
      const { headers, tls } = identity.value;
      let response: Response;
      try {
        response = await fetch(access.server + path, {
          headers: { ...headers, accept: "application/json", "user-agent": userAgent },
          // A redirect could lead the token elsewhere.
          redirect: "error",
          signal,
          tls,
        });
      } catch (error) {
        return err({ status: 0, message: describeError(error), retryAfterMs: 0 });
      }
      if (response.status === 401 && isFirst) {
        await response.body?.cancel();
        authorizer.renew();
        continue;
      }
      return response.ok ? ok(response) : err(await toApiError(response));
    }
  };

  return {
    async get(path, timeoutMs) {
      const response = await send(path, AbortSignal.timeout(timeoutMs));
      if (!response.ok) return response;
      try {
        const text = await response.value.text();
        if (text.length > MAX_ANSWER_BYTES) {
          return err({ status: 0, message: "the answer is too large", retryAfterMs: 0 });
        }
        return ok(JSON.parse(text));
      } catch (error) {
        return err({ status: 0, message: describeError(error), retryAfterMs: 0 });
      }
    },
    async stream(path, idleMs, onLine, signal) {
      const silence = new AbortController();
      const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${idleMs} ms`)), idleMs);
      try {
        const response = await send(path, AbortSignal.any([signal, silence.signal]));
        if (!response.ok) return response;
        timer.refresh();
        const read = await readLines(response.value, onLine, () => timer.refresh());
        return read.ok ? read : err({ status: 0, message: read.error, retryAfterMs: 0 });
      } finally {
        clearTimeout(timer);
        silence.abort();
      }
    },
  };
}

/** A Status object says more than the number, where there is one. */
async function toApiError(response: Response): Promise<ApiError> {
  const retryAfterS = Number(response.headers.get("retry-after") ?? 0);
  let text = "";
  try {
    text = (await response.text()).slice(0, 4096);
  } catch {
    // The number alone has to do.
  }
  return {
    status: response.status,
    message: `the API server answered ${response.status}: ${findMessage(text)}`,
    retryAfterMs: Number.isFinite(retryAfterS) ? Math.min(Math.max(retryAfterS, 0) * 1000, 60_000) : 0,
  };
}

function findMessage(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && "message" in json)
      return String(json.message).split("\n")[0] ?? "";
  } catch {
    // Plain text, of a proxy.
  }
  return (
    text
      .split("\n")[0]
      ?.replace(/\p{Cc}/gu, " ")
      .slice(0, 200) ?? ""
  );
}
