// SPDX-License-Identifier: Apache-2.0
// The inspector's server with real clients: the receiver of @statelyai/inspect as npm has it, a WebSocket that comes back,
// and requests that must get nothing.
import { afterEach, describe, expect, test } from "bun:test";
import { request } from "node:http";
import { overviewExample, startedExample } from "@rthooks/explain/examples";
import {
  createRecorder,
  type InspectorFacts,
  type InspectorServer,
  serveInspector,
} from "@rthooks/inspector";
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { createActor, createMachine, setup } from "xstate";
import { waitFor } from "../harness/wait.ts";

const lamp = setup({ actions: { hum: () => {} } }).createMachine({
  id: "lamp",
  initial: "off",
  states: { off: { on: { press: { target: "on", actions: "hum" } } }, on: { on: { press: "off" } } },
});
const definitions = new Map([["lamp", JSON.stringify(lamp.config)]]);
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const token = "a-token";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface OpenOptions {
  readonly token?: string;
  readonly maxEvents?: number;
  readonly facts?: InspectorFacts;
}

function open(options: OpenOptions = {}) {
  const { maxEvents = 1000 } = options;
  const recorder = createRecorder({
    nowMs: () => performance.timeOrigin + performance.now(),
    bounds: { maxEvents, maxPayload: 1_000_000, maxEnded: 10, maxPending: 1000 },
    onPending: () => setTimeout(() => server.publish(recorder.flush()), 5),
  });
  const opened = serveInspector({
    ...{
      host: "127.0.0.1",
      port: 0,
      token: options.token ?? "",
      program: "lamps",
      recorder,
      definitions,
      facts: options.facts,
      log,
    },
  });
  if (!opened.ok) throw new Error(opened.error);
  const server: InspectorServer = opened.value;
  closers.push(server.close);
  const actor = createActor(lamp, { id: "hall", inspect: recorder.inspect });
  actor.start();
  return { recorder, server, actor, url: `ws://127.0.0.1:${server.port}` };
}

describe("the receiver of @statelyai/inspect", () => {
  test("gets the actors that live already, with a machine that XState accepts, and then each event", async () => {
    const { actor, url } = open();
    actor.send({ type: "press" });
    const received: StatelyInspectionEvent[] = [];
    createWebSocketReceiver({ server: url }).subscribe((event) => received.push(event));
    await waitFor("the first message", () => received.length > 0);
    actor.send({ type: "press" });
    await waitFor("three messages", () => received.length >= 3);
    const [known, event, snapshot] = received;
    expect(known).toMatchObject({
      type: "@xstate.actor",
      name: "hall",
      sessionId: actor.sessionId,
      snapshot: { status: "active", value: "on" },
    });
    const definition = known?.type === "@xstate.actor" ? (known.definition ?? "") : "";
    expect(Object.keys(createMachine(JSON.parse(definition)).states)).toEqual(["off", "on"]);
    expect(event).toMatchObject({ type: "@xstate.event", event: { type: "press" } });
    expect(snapshot).toMatchObject({ type: "@xstate.snapshot", snapshot: { value: "off" } });
  });
});

describe("a client that comes back", () => {
  async function collect(url: string, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const socket = new WebSocket(url);
    const messages: Readonly<Record<string, unknown>>[] = [];
    socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(String(data))));
    await waitFor(`${count} messages`, () => messages.length >= count);
    socket.close();
    return messages;
  }

  test("gets what it missed, and nothing twice", async () => {
    const { actor, url } = open();
    const [hello, ...actors] = await collect(`${url}/?after=0`, 2);
    expect(hello).toMatchObject({ type: "@rthooks.hello", missed: 0 });
    expect(actors).toMatchObject([{ type: "@xstate.actor", name: "hall" }]);
    actor.send({ type: "press" });
    const resumed = `${url}/?after=${String(hello?.["sequence"])}&boot=${String(hello?.["boot"])}`;
    const [again, ...events] = await collect(resumed, 3);
    expect(again).toMatchObject({ missed: 0, boot: hello?.["boot"] });
    expect(events.map(({ type }) => type)).toEqual(["@xstate.event", "@xstate.snapshot"]);
  });

  test("gets the actors as they are now where too much is gone, and how much that is", async () => {
    const { actor, recorder, url } = open({ maxEvents: 2 });
    const [hello] = await collect(`${url}/?after=0`, 2);
    for (let at = 0; at < 5; at++) actor.send({ type: "press" });
    recorder.flush();
    const resumed = `${url}/?after=${String(hello?.["sequence"])}&boot=${String(hello?.["boot"])}`;
    const [again, ...messages] = await collect(resumed, 2);
    expect(Number(again?.["missed"])).toBe(Number(again?.["sequence"]) - Number(hello?.["sequence"]) - 2);
    expect(messages).toMatchObject([{ type: "@xstate.actor", snapshot: { value: "on" } }]);
  });

  test("gets every actor, however slowly it reads, and what happened meanwhile", async () => {
    const { recorder, actor, url } = open({ maxEvents: 100_000 });
    const big = setup({ types: { context: {} as { readonly text: string } } }).createMachine({
      id: "lamp",
      context: { text: "x".repeat(500) },
      initial: "off",
      states: { off: {} },
    });
    const count = 20_000;
    for (let at = 0; at < count; at++) createActor(big, { id: `${at}`, inspect: recorder.inspect }).start();
    const socket = new WebSocket(`${url}/?after=0`);
    const names: unknown[] = [];
    let last: Readonly<Record<string, unknown>> = {};
    socket.addEventListener("message", ({ data }) => {
      last = JSON.parse(String(data));
      if (last["type"] === "@xstate.actor") names.push(last["name"]);
      if (names.length === 1) actor.send({ type: "press" });
    });
    await waitFor("the event after the actors", () => last["type"] === "@xstate.snapshot", 60_000);
    expect(names.length).toBe(count + 1);
    socket.close();
  }, 60_000);

  test("gets the actors where another process numbered what it has", async () => {
    const { url } = open();
    const [hello, ...messages] = await collect(`${url}/?after=7&boot=another`, 2);
    expect(hello).toMatchObject({ missed: 0 });
    expect(messages).toMatchObject([{ type: "@xstate.actor" }]);
  });
});

describe("the history", () => {
  const read = async (address: string, query = "") => {
    const response = await fetch(`${address}/api/history${query}`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    const lines = (await response.text()).trimEnd().split("\n");
    return lines.map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
  };

  test("has what was before the WebSocket's first message, in parts, and what is not yet sent to clients", async () => {
    const { actor, server } = open({ maxEvents: 10_000 });
    for (let at = 0; at < 500; at++) actor.send({ type: "press" });
    const address = `http://127.0.0.1:${server.port}`;
    const whole = await read(address, "?limit=20000");
    // The actor, its start, and event and snapshot of each press. Actions have no numbers.
    expect(whole[0]).toMatchObject({ type: "@rthooks.history", oldest: 1, first: 1, before: 1004 });
    expect(whole.length).toBe(1 + 3 + 500 * 2);
    const parts: (typeof whole)[] = [];
    for (let before = 1004; before > 1; before = Number(parts[0]?.[0]?.["first"]))
      parts.unshift(await read(address, `?before=${before}&limit=300`));
    expect(parts.length).toBe(4);
    expect(parts.flatMap(([, ...messages]) => messages)).toEqual(whole.slice(1));
  });

  test("is answered to clients that come after others that left in the middle of it", async () => {
    const { recorder, server } = open({ maxEvents: 20_000 });
    const big = setup({ types: { context: {} as { readonly text: readonly string[] } } }).createMachine({
      ...{ id: "lamp", context: { text: Array(12).fill("x".repeat(500)) } },
      ...{ initial: "off", states: { off: {} } },
    });
    for (let at = 0; at < 3000; at++) createActor(big, { id: `${at}`, inspect: recorder.inspect }).start();
    recorder.flush();
    const url = `http://127.0.0.1:${server.port}/api/history?limit=20000`;
    const read8 = async (method: string) => {
      const leave = new AbortController();
      const answers = Array.from({ length: 8 }, () => fetch(url, { method, signal: leave.signal }));
      for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
      return leave;
    };
    await read8("HEAD");
    const leave = await read8("GET");
    expect((await fetch(url)).status).toBe(503);
    leave.abort();
    await waitFor("an answer", async () => (await fetch(url, { method: "HEAD" })).status === 200);
  });
});

describe("the page", () => {
  test.each([
    ["/", "text/html; charset=utf-8", "<!doctype html>"],
    ["/app.js", "text/javascript; charset=utf-8", "WebSocket"],
    ["/style.css", "text/css; charset=utf-8", "prefers-color-scheme: dark"],
    ["/icon.svg", "image/svg+xml", "<svg"],
    ["/machines/container.svg", "image/svg+xml", 'data-state="registered"'],
  ])("is served: %s", async (path, type, part) => {
    const response = await fetch(`http://127.0.0.1:${open().server.port}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'; style-src 'self'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toContain(part);
  });

  test("has no script and no style in its markup, which its policy forbids, and names no other host", async () => {
    const address = `http://127.0.0.1:${open().server.port}`;
    const html = await (await fetch(address)).text();
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*src=)|https?:/);
    const drawing = await (await fetch(`${address}/machines/pod.svg`)).text();
    expect(drawing).not.toMatch(/<style|style=|<script/);
  });

  test("opened with the token sets a cookie, with which its parts are served", async () => {
    const secret = "a token; with signs";
    const address = `http://127.0.0.1:${open({ token: secret }).server.port}`;
    expect((await fetch(`${address}/app.js`)).status).toBe(401);
    const opened = await fetch(`${address}/?token=${encodeURIComponent(secret)}`);
    const [cookie = "", ...attributes] = (opened.headers.get("set-cookie") ?? "").split("; ");
    expect(attributes).toEqual(["Path=/", "HttpOnly", "SameSite=Strict"]);
    expect((await fetch(`${address}/app.js`, { headers: { cookie } })).status).toBe(200);
    expect((await fetch(`${address}/api/history`, { headers: { cookie } })).status).toBe(200);
  });

  test("of two inspectors on one host sets two cookies", async () => {
    const addresses = ["a-token", "another-token"].map(
      (secret) => `http://127.0.0.1:${open({ token: secret }).server.port}/?token=${secret}`,
    );
    const cookies = new Map<string, string>();
    for (const address of addresses) {
      const set = (await fetch(address)).headers.get("set-cookie")?.split(";")[0] ?? "";
      cookies.set(set.slice(0, set.indexOf("=")), set);
    }
    const cookie = [...cookies.values()].join("; ");
    for (const address of addresses)
      expect((await fetch(new URL("/app.js", address), { headers: { cookie } })).status).toBe(200);
  });
});

describe("a request that must get nothing", () => {
  const ask = (port: number, headers: Readonly<Record<string, string>>, path = "/") =>
    new Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>> }>(
      (resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port, path, headers }, (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, headers: response.headers });
        });
        sent.on("upgrade", (_, socket) => {
          socket.destroy();
          resolve({ status: 101, headers: {} });
        });
        sent.on("error", reject);
        sent.end();
      },
    );
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };

  test("of a page of another origin, or by another name", async () => {
    const { server } = open();
    const { port } = server;
    expect((await ask(port, { ...upgrade, host: `localhost:${port}` })).status).toBe(101);
    expect((await ask(port, { ...upgrade, host: `attacker.example:${port}` })).status).toBe(403);
    expect((await ask(port, { host: `attacker.example:${port}` }, "/api/history")).status).toBe(403);
    const origin = "http://attacker.example";
    expect((await ask(port, { ...upgrade, host: `localhost:${port}`, origin })).status).toBe(403);
  });

  test("without the token", async () => {
    const { server } = open({ token });
    const { port } = server;
    const host = "node-1:9101";
    expect((await ask(port, { ...upgrade, host })).status).toBe(401);
    expect((await ask(port, { ...upgrade, host }, "/?token=wrong")).status).toBe(401);
    expect((await ask(port, { host }, "/api/history")).status).toBe(401);
    expect((await ask(port, { ...upgrade, host }, `/?token=${token}`)).status).toBe(101);
    expect((await ask(port, { ...upgrade, host, authorization: `Bearer ${token}` })).status).toBe(101);
    const cookie = `a=b; rthooks-inspect-9101=${token}`;
    expect((await ask(port, { ...upgrade, host, cookie })).status).toBe(101);
    expect((await ask(port, { ...upgrade, host, cookie, origin: `http://${host}` })).status).toBe(101);
    expect((await ask(port, { ...upgrade, host, cookie, origin: "http://node-1:80" })).status).toBe(401);
  });

  test("every answer forbids scripts from elsewhere", async () => {
    const { server } = open();
    const { status, headers } = await ask(server.port, { host: `localhost:${server.port}` }, "/nothing");
    expect(status).toBe(404);
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
  });

  test("explanations and the overview are read with the same access as the page", async () => {
    const facts = { explain: () => startedExample, overview: () => overviewExample };
    const { server } = open({ facts, token });
    const { port } = server;
    const host = `localhost:${port}`;
    for (const path of ["/api/overview", `/api/explain?container=${startedExample.containerId}`]) {
      expect((await ask(port, { host }, path)).status).toBe(401);
      const { status, headers } = await ask(port, { host, cookie: `rthooks-inspect-${port}=${token}` }, path);
      expect(status).toBe(200);
      expect(headers["content-type"]).toBe("application/json");
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
    }
    const { server: without } = open({ facts });
    const wrong = { host: `attacker.example:${without.port}` };
    expect((await ask(without.port, wrong, "/api/overview")).status).toBe(403);
    expect((await ask(open().server.port, { host: "localhost" }, "/api/overview")).status).toBe(403);
  });

  test("off loopback without a token the server does not start", () => {
    const { recorder } = open();
    const opened = serveInspector({
      ...{
        host: "0.0.0.0",
        port: 0,
        token: "",
        program: "lamps",
        recorder,
        definitions,
        facts: undefined,
        log,
      },
    });
    expect(opened).toMatchObject({ ok: false, error: expect.stringContaining("--inspect-token-file") });
  });
});
