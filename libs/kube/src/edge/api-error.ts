// SPDX-License-Identifier: Apache-2.0

export interface ApiError {
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** One line with the server's address. */
  readonly message: string;
  /** The Retry-After header; 0 without one. */
  readonly retryAfterMs: number;
  /** The answer has a Status object: the API server sent it, not a proxy or load balancer. */
  readonly isStatus: boolean;
  /** The answer exceeds the size limit or the deadline. */
  readonly isTooLarge: boolean;
  /** No request was sent: a file with the address or the credentials is unusable. */
  readonly isLocal: boolean;
}

/** `status`: the code of an error event within a watch. */
export const noAnswer = (message: string, status = 0): ApiError => ({
  ...{ status, message, retryAfterMs: 0 },
  ...{ isStatus: false, isTooLarge: false, isLocal: false },
});

/** `name`: the server's. The message is that of the Status object, if the response has one. */
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
    // The message has only the status code then.
  }
  return text.slice(0, MAX_TEXT_LENGTH);
}

/** The message of a Status object; undefined for another text, such as a proxy's. */
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

/** One line, without the advice for developers that Bun appends. */
export function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error.message.split(/ fetching |\. (?=[A-Z])/)[0]?.replace(/\s*\n\s*/g, " ") ?? "";
  return code === "" || text.includes(code) ? text : `${text} (${code})`;
}

/** Whether the TLS handshake failed, so that another certificate or CA may help. */
export const isTlsError = (error: unknown): boolean =>
  /CERT|SSL|TLS|VERIFY|SIGNED|ISSUER|CLOSED|RESET/i.test(describeFetchError(error));
