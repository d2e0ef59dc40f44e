// SPDX-License-Identifier: Apache-2.0

export interface ApiError {
  /** HTTP's; 0 where no answer came. */
  readonly status: number;
  /** For people, one line, with the server's address. */
  readonly message: string;
  /** What the server asks to wait; 0 where it says nothing. */
  readonly retryAfterMs: number;
  /** The API server itself said so, and no proxy or load balancer before it: there is a Status object. */
  readonly isStatus: boolean;
  /** The answer is larger than what may be read, or did not come in time. */
  readonly isTooLarge: boolean;
  /** Nothing was sent: a file with the address or the credentials cannot be used. */
  readonly isLocal: boolean;
}

/** `status`: that of an answer within a stream. */
export const noAnswer = (message: string, status = 0): ApiError => ({
  ...{ status, message, retryAfterMs: 0 },
  ...{ isStatus: false, isTooLarge: false, isLocal: false },
});

/** `name`: of the server. A Status object says more than the number, where there is one. */
export async function toApiError(name: string, response: Response): Promise<ApiError> {
  const retryAfterS = Number(response.headers.get("retry-after") ?? 0);
  const text = await readStart(response);
  const status = parseStatus(text);
  return {
    ...noAnswer(`${name} answered ${response.status}: ${toOneLine(status ?? text)}`, response.status),
    retryAfterMs: Number.isFinite(retryAfterS) ? Math.min(Math.max(retryAfterS, 0) * 1000, 60_000) : 0,
    isStatus: status !== undefined,
  };
}

const MAX_TEXT_LENGTH = 4096;

async function readStart(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length >= MAX_TEXT_LENGTH) break;
    }
  } catch {
    // The number alone has to do.
  }
  return text.slice(0, MAX_TEXT_LENGTH);
}

/** The message of a Status object; undefined for what is none, as of a proxy. */
function parseStatus(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || !("kind" in json) || json.kind !== "Status")
      return undefined;
    return "message" in json ? String(json.message) : "";
  } catch {
    return undefined;
  }
}

const toOneLine = (text: string): string =>
  (text.split("\n")[0] ?? "").replace(/\p{Cc}/gu, " ").slice(0, 400);

/** Bun's own advice for people who write programs is left out. */
export function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error.message.split(/ fetching |\. (?=[A-Z])/)[0]?.replace(/\s*\n\s*/g, " ") ?? "";
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}

/** Whether the connection ended while it was made secure: another certificate or authority may be what helps. */
export const isTlsError = (error: unknown): boolean =>
  /CERT|SSL|TLS|VERIFY|SIGNED|ISSUER|CLOSED|RESET/i.test(describeFetchError(error));
