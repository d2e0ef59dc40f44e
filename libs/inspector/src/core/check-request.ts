// SPDX-License-Identifier: Apache-2.0
// Which requests the inspector answers. A page of another origin, also one whose name was made to resolve to this machine
// (DNS rebinding), gets nothing, unless it has the token.

export interface Access {
  /** Where the server listens. */
  readonly isLoopback: boolean;
  readonly port: number;
  /** Whether requests without the token are refused. */
  readonly needsToken: boolean;
}

export interface RequestFacts {
  readonly method: string;
  /** The Host header, "127.0.0.1:9101". */
  readonly host: string;
  /** The Origin header; undefined for a client that is not a browser, and for a page's own address. */
  readonly origin: string | undefined;
  readonly hasToken: boolean;
}

export interface Rejection {
  readonly status: 401 | 403 | 405;
  readonly message: string;
}

const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Undefined for a request that is answered. */
export function checkRequest(access: Access, request: RequestFacts): Rejection | undefined {
  if (request.method !== "GET" && request.method !== "HEAD")
    return { status: 405, message: "the inspector is read-only: use GET" };
  if (request.hasToken) return undefined;
  if (access.needsToken)
    return { status: 401, message: "the token is missing or wrong: add ?token=TOKEN to the address" };
  if (!isOwnHost(access, request.host))
    return { status: 403, message: "the Host header does not name this inspector: use localhost" };
  if (request.origin !== undefined && request.origin !== `http://${request.host}`)
    return { status: 403, message: "pages of another origin are not answered" };
  return undefined;
}

function isOwnHost({ isLoopback, port }: Access, host: string): boolean {
  const end = host.lastIndexOf(":");
  const isBare = end === -1 || host.endsWith("]");
  const name = isBare ? host : host.slice(0, end);
  const given = isBare ? "80" : host.slice(end + 1);
  return isLoopback && loopbackNames.has(name.toLowerCase()) && given === `${port}`;
}
