// SPDX-License-Identifier: Apache-2.0
// The inspector's HTTP and WebSocket server. Every WebSocket gets the messages of @statelyai/inspect: first the actors as
// they are, then what happens. A client that comes back with `?after=SEQUENCE&boot=ID` gets what it has missed instead,
// after a message that says how much of that is gone.

import { randomUUID, timingSafeEqual } from "node:crypto";
import type { Logger } from "@rthooks/log";
import { isLoopback } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ServerWebSocket } from "bun";
import { type Access, checkRequest } from "../core/check-request.ts";
import type { RecordedEvent } from "../core/history.ts";
import type { Recorder } from "../core/recorder.ts";
import { type Definitions, renderActor, renderEvent, renderHello } from "../wire/stately-events.ts";

export interface InspectorServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Empty: none is needed, which is refused off loopback. */
  readonly token: string;
  readonly recorder: Recorder;
  readonly definitions: Definitions;
  readonly log: Logger;
}

export interface InspectorServer {
  readonly port: number;
  /** Sends new events to all clients. */
  publish(events: readonly RecordedEvent[]): void;
  clients(): number;
  close(): void;
}

interface Client {
  /** The last event that the client has, and the process that numbered it; undefined for a client that does not say. */
  readonly resume: { readonly after: number; readonly boot: string } | undefined;
}

const maxClients = 32;
/** A client that does not read loses its connection, and may come back. */
const maxBufferedBytes = 8 * 1024 * 1024;
const tooSlow = 1013;
const cookieName = "rthooks-inspect";

/** Nothing from elsewhere: no script, style, picture, frame or connection. */
const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** The error is one line. */
export function serveInspector(options: InspectorServerOptions): Result<InspectorServer, string> {
  const { host, port, token, recorder, definitions, log } = options;
  if (token === "" && !isLoopback(host)) {
    return err(`${host} is not a loopback address: give --inspect-token-file, or listen on 127.0.0.1`);
  }
  const boot = randomUUID();
  const clients = new Set<ServerWebSocket<Client>>();

  const send = (client: ServerWebSocket<Client>, message: string | undefined): void => {
    if (message === undefined) return;
    client.send(message);
    if (client.getBufferedAmount() > maxBufferedBytes) client.close(tooSlow, "the client reads too slowly");
  };

  const welcome = (client: ServerWebSocket<Client>): void => {
    publish(recorder.flush());
    const { resume } = client.data;
    const sequence = recorder.lastSequence();
    const isKnown = resume?.boot === boot;
    const { events, missed } = recorder.eventsAfter(isKnown ? resume.after : sequence);
    if (resume !== undefined) send(client, renderHello({ boot, sequence, missed: isKnown ? missed : 0 }));
    if (!isKnown || missed > 0)
      for (const actor of recorder.actors()) send(client, renderActor(actor, definitions, sequence));
    else for (const event of events) send(client, renderEvent(event, definitions));
    clients.add(client);
  };

  const publish = (events: readonly RecordedEvent[]): void => {
    if (clients.size === 0) return;
    for (const event of events) {
      const message = renderEvent(event, definitions);
      for (const client of clients) send(client, message);
    }
  };

  try {
    const server = Bun.serve<Client>({
      hostname: host,
      port,
      fetch(request, own) {
        const url = new URL(request.url);
        const access: Access = {
          isLoopback: isLoopback(host),
          port: own.port ?? port,
          needsToken: token !== "",
        };
        const rejection = checkRequest(access, {
          method: request.method,
          host: request.headers.get("host") ?? "",
          origin: request.headers.get("origin") ?? undefined,
          hasToken: token !== "" && isToken(token, request, url),
        });
        if (rejection !== undefined)
          return new Response(`${rejection.message}\n`, { status: rejection.status, headers });
        if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
          return new Response("no such page\n", { status: 404, headers });
        if (clients.size >= maxClients) return new Response("too many clients\n", { status: 503, headers });
        return own.upgrade(request, { data: { resume: toResume(url) } })
          ? undefined
          : new Response("not a WebSocket request\n", { status: 400, headers });
      },
      websocket: {
        maxPayloadLength: 1024,
        backpressureLimit: maxBufferedBytes,
        open: welcome,
        message: () => {},
        close: (client) => void clients.delete(client),
      },
      error(error) {
        log.error("an inspector request failed", { err: describeError(error) });
        return new Response("internal error\n", { status: 500, headers });
      },
    });
    return ok({
      port: server.port ?? port,
      publish,
      clients: () => clients.size,
      close: () => void server.stop(true),
    });
  } catch (error) {
    return err(`cannot listen on ${host}:${port}: ${describeError(error)}`);
  }
}

function toResume(url: URL): Client["resume"] {
  const after = Number(url.searchParams.get("after") ?? Number.NaN);
  if (!Number.isSafeInteger(after) || after < 0) return undefined;
  return { after, boot: url.searchParams.get("boot") ?? "" };
}

/** In the query, as a bearer token, or in the cookie that the page gets. */
function isToken(token: string, request: Request, url: URL): boolean {
  const cookie = new RegExp(`(?:^|; )${cookieName}=([^;]*)`).exec(request.headers.get("cookie") ?? "")?.[1];
  const bearer = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  const given = [url.searchParams.get("token"), bearer, cookie];
  return given.some((text) => text !== null && text !== undefined && isEqual(text, token));
}

/** In a time that does not depend on where the texts differ. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
