// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createHistory } from "../core/history.ts";
import type { RecordedActor } from "../core/recorder.ts";
import { listWelcome, type WelcomedClient } from "./welcome.ts";

const actor: RecordedActor = {
  ...{ sessionId: "x:1", parentId: undefined, rootId: "x:1", name: "a", machine: "lamp", state: "off" },
  ...{ sinceMs: 1, changedMs: 1, hasEnded: false },
  snapshot: () => "{}",
};

function open(maxEvents: number) {
  const history = createHistory({ maxEvents, maxPayload: 1_000_000 });
  const add = (what: string) => {
    const { sessionId, rootId, parentId, name, machine } = actor;
    const about = { sessionId, rootId, parentId, name, machine, sourceId: undefined };
    history.add({
      ...about,
      type: "@xstate.event",
      what,
      state: "",
      from: "",
      fromSinceMs: 1,
      atMs: 1,
      payload: "{}",
    });
  };
  const source = {
    explains: true,
    ...{ boot: "b", program: "lamps", definitions: new Map([["lamp", '{"id":"lamp","states":{}}']]) },
    actors: () => [actor, actor],
    eventsAfter: history.after,
    settle: history.last,
  };
  return { add, welcome: (client: WelcomedClient) => listWelcome(client, source) };
}

const fresh: WelcomedClient = { resume: { after: 0, boot: "" }, wantsDefinitions: true };
const typesOf = (messages: Iterable<string>) => Array.from(messages, (text) => JSON.parse(text).type);

test("a client gets the actors, and then what happened while it read them", () => {
  const { add, welcome } = open(10);
  add("before");
  const messages = welcome(fresh);
  expect(JSON.parse(String(messages.next().value))).toMatchObject({
    ...{
      type: "@rthooks.hello",
      sequence: 1,
      actors: 2,
      program: "lamps",
      machines: ["lamp"],
      explains: true,
    },
  });
  add("meanwhile");
  expect(typesOf(messages)).toEqual(["@xstate.actor", "@xstate.actor", "@xstate.event"]);
});

test("a client that comes back gets the events after its last one", () => {
  const { add, welcome } = open(10);
  for (const what of ["a", "b", "c"]) add(what);
  const messages = welcome({ ...fresh, resume: { after: 2, boot: "b" } });
  expect(typesOf(messages)).toEqual(["@rthooks.hello", "@xstate.event"]);
});

test("a client that reads so slowly that events are gone does not get all", () => {
  const { add, welcome } = open(2);
  const messages = welcome(fresh);
  messages.next();
  for (const what of ["a", "b", "c"]) add(what);
  messages.next();
  messages.next();
  expect(messages.next()).toEqual({ done: true, value: false });
});

test("definitions are sent to clients that want them", () => {
  const { welcome } = open(2);
  const [, first = "{}"] = [...welcome({ ...fresh, wantsDefinitions: false })];
  expect(JSON.parse(first).definition).toBe('{"id":"lamp"}');
  const [, known = "{}"] = [...welcome(fresh)];
  expect(JSON.parse(known).definition).toBe('{"id":"lamp","states":{}}');
});
