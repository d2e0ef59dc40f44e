// SPDX-License-Identifier: Apache-2.0
// The token in a request: in the query, as a bearer token, or in the cookie that the page gets.

import { timingSafeEqual } from "node:crypto";

/** The token is not empty. */
export function hasToken(token: string, request: Request, url: URL): boolean {
  // Browsers send the cookie for pages of other ports too: from those it does not count.
  const origin = request.headers.get("origin");
  const isOwnOrigin = origin === null || URL.parse(origin)?.host === request.headers.get("host");
  if (isOwnOrigin && isEqual(readCookie(request), encodeURIComponent(token))) return true;
  const bearer = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  return [url.searchParams.get("token") ?? "", bearer].some((given) => isEqual(given, token));
}

/** For the Set-Cookie header of the page. */
export const renderTokenCookie = (token: string, request: Request): string =>
  `${toCookieName(request)}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`;

function readCookie(request: Request): string {
  const start = `${toCookieName(request)}=`;
  const cookies = (request.headers.get("cookie") ?? "").split("; ");
  return cookies.find((cookie) => cookie.startsWith(start))?.slice(start.length) ?? "";
}

/**
 * With the port that the browser sees: cookies of a host are shared by its ports, and each may have an inspector with
 * another token.
 */
const toCookieName = (request: Request): string =>
  `rthooks-inspect-${/:(\d+)$/.exec(request.headers.get("host") ?? "")?.[1] ?? "80"}`;

/** In a time that does not depend on where the texts differ. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
