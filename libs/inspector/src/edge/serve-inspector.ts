// SPDX-License-Identifier: Apache-2.0
// The inspector's HTTP and WebSocket server. `GET /` is a page for browsers, `GET /api/history` the events that are kept.
// Every WebSocket gets the messages of
// @statelyai/inspect: first the actors as they are, then what happens. A client that comes back with
// `?after=SEQUENCE&boot=ID` gets what it has missed instead, after a message that says how much of that is gone.

import { randomUUID } from "node:crypto";
import type { Logger } from "@rthooks/log";
import { isLoopback } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ServerWebSocket } from "bun";
import { answerFacts, type FactsAnswer, type InspectorFacts } from "../core/answer-facts.ts";
import { type Access, checkRequest } from "../core/check-request.ts";
import type { RecordedEvent } from "../core/history.ts";
import type { Recorder } from "../core/recorder.ts";
import { type Definitions, noDefinitions, renderEvent } from "../wire/stately-events.ts";
import { listWelcome, type WelcomedClient } from "../wire/welcome.ts";
import { createHistoryAnswer } from "./answer-history.ts";
import { pageFiles } from "./page-files.ts";
import { hasToken, renderTokenCookie } from "./request-token.ts";

export interface InspectorServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Empty: none is needed, which is refused off loopback. */
  readonly token: string;
  /** The name that the page shows. */
  readonly program: string;
  readonly recorder: Recorder;
  readonly definitions: Definitions;
  /** Undefined for a program that explains no containers. */
  readonly facts: InspectorFacts | undefined;
  readonly log: Logger;
}

export interface InspectorServer {
  readonly port: number;
  /** Sends new events to all clients. */
  publish(events: readonly RecordedEvent[]): void;
  clients(): number;
  close(): void;
}

interface Client extends WelcomedClient {
  /** Messages from before the client takes part; undefined when it has them. */
  welcome: Generator<string, boolean> | undefined;
}

const maxClients = 32;
/** A client that does not read loses its connection, and may come back. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** The welcome of a client waits while so much is not sent. */
const maxWelcomeBytes = 1024 * 1024;
const tooSlow = 1013;

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
  const { host, port, token, program, recorder, definitions, facts, log } = options;
  if (token === "" && !isLoopback(host)) {
    return err(`${host} is not a loopback address: give --inspect-token-file, or listen on 127.0.0.1`);
  }
  const boot = randomUUID();
  const clients = new Set<ServerWebSocket<Client>>();

  const publish = (events: readonly RecordedEvent[]): void => {
    const present = [...clients].filter((client) => client.data.welcome === undefined);
    for (const wantsDefinitions of [true, false]) {
      const those = present.filter((client) => client.data.wantsDefinitions === wantsDefinitions);
      if (those.length === 0) continue;
      const own = wantsDefinitions ? definitions : noDefinitions;
      const messages = events.map((event) => renderEvent(event, own));
      for (const client of those) send(client, messages);
    }
  };

  /** With as few system calls as the messages need. */
  const send = (client: ServerWebSocket<Client>, messages: readonly string[]): void => {
    client.cork(() => {
      for (const message of messages) client.send(message);
    });
    if (client.getBufferedAmount() > maxBufferedBytes) client.close(tooSlow, "the client reads too slowly");
  };

  const settle = (): number => {
    publish(recorder.flush());
    return recorder.lastSequence();
  };
  const { actors, eventsAfter, eventsBefore } = recorder;
  const explains = facts !== undefined;
  const source = { boot, program, definitions, explains, actors, eventsAfter, eventsBefore, settle };

  const open = (client: ServerWebSocket<Client>): void => {
    clients.add(client);
    client.data.welcome = listWelcome(client.data, source);
    continueWelcome(client);
  };

  /** Sends as much as the client can take. Bun calls again when that is sent. */
  const continueWelcome = (client: ServerWebSocket<Client>): void => {
    const { welcome } = client.data;
    while (welcome !== undefined && client.getBufferedAmount() < maxWelcomeBytes) {
      const { done, value } = welcome.next();
      if (done !== true) client.send(value);
      else {
        client.data.welcome = undefined;
        if (!value) client.close(tooSlow, "the client reads too slowly");
        return;
      }
    }
  };

  const answerHistory = createHistoryAnswer(source, headers);

  try {
    const server = Bun.serve<Client>({
      hostname: host,
      port,
      async fetch(request, own) {
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
          hasToken: token !== "" && hasToken(token, request, url),
        });
        if (rejection !== undefined)
          return new Response(`${rejection.message}\n`, { status: rejection.status, headers });
        if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
          if (url.pathname === "/api/history") return answerHistory(url.searchParams);
          const answer = await answerFacts(facts, url);
          return answer === undefined ? answerPage(request, url, token) : toResponse(answer);
        }
        if (clients.size >= maxClients) return new Response("too many clients\n", { status: 503, headers });
        return own.upgrade(request, { data: toClient(url) })
          ? undefined
          : new Response("not a WebSocket request\n", { status: 400, headers });
      },
      websocket: {
        maxPayloadLength: 1024,
        backpressureLimit: maxBufferedBytes,
        open,
        drain: continueWelcome,
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

function toResponse({ status, text }: FactsAnswer): Response {
  if (status === 200)
    return new Response(text, { headers: { ...headers, "content-type": "application/json" } });
  return new Response(`${text}\n`, { status, headers });
}

/** A file of the page. A browser that opened the page with the token keeps it in a cookie, for the page's requests. */
function answerPage(request: Request, url: URL, token: string): Response {
  const file = pageFiles.get(url.pathname);
  if (file === undefined) return new Response("no such page\n", { status: 404, headers });
  const isOpened = token !== "" && url.pathname === "/" && url.searchParams.has("token");
  const cookie = isOpened ? { "set-cookie": renderTokenCookie(token, request) } : {};
  return new Response(file.text, { headers: { ...headers, "content-type": file.type, ...cookie } });
}

function toClient(url: URL): Client {
  const after = Number(url.searchParams.get("after") ?? Number.NaN);
  const isNumber = Number.isSafeInteger(after) && after >= 0;
  return {
    resume: isNumber ? { after, boot: url.searchParams.get("boot") ?? "" } : undefined,
    wantsDefinitions: url.searchParams.get("definitions") !== "none",
    welcome: undefined,
  };
}
