// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { exec } from "../wire/event-message.fixture.ts";
import { type ClientWishes, createEventClients } from "./event-clients.ts";
import { toSubject } from "./event-subject.ts";
import type { OutputReport } from "./output-messages.ts";

function open() {
  const clock = { ms: 0 };
  const posted: OutputReport[] = [];
  const clients = createEventClients<ClientWishes>({
    post: (report) => posted.push(report),
    encodeDrops: () => new Uint8Array(),
    nowMs: () => clock.ms,
  });
  /** Its filters take so long for each event. */
  const add = (client: number, ms: number): void =>
    clients.add(client, {
      ...{ wantsDrops: false, fieldsKey: "" },
      matches() {
        clock.ms += ms;
        return true;
      },
    });
  const publish = (events: number): void => {
    for (let at = 0; at < events; at++) clients.publish(toSubject(exec), () => new Uint8Array([1]));
    clients.flush();
  };
  return { ...{ clock, posted, add, publish, clients } };
}

test("clients that do not read have 64 MiB together, and leave room to others", () => {
  const { clients, add, posted } = open();
  const mebibyte = 1024 * 1024;
  const event = new Uint8Array(mebibyte / 4);
  const publish = (count: number): void => {
    for (let at = 0; at < count; at++) clients.publish(toSubject(exec), () => event);
  };
  for (let client = 0; client < 63; client++) add(client, 0);
  publish(40);
  const kept = (63 * 40 - clients.dropped) * event.length;
  expect(kept).toBeLessThanOrEqual(64 * mebibyte);
  expect(kept).toBeGreaterThan(32 * mebibyte);
  // One that comes later has room.
  const before = clients.dropped;
  add(63, 0);
  publish(1);
  expect(clients.dropped - before).toBe(63);
  // And more, when others end.
  for (let client = 0; client < 63; client++) clients.remove(client);
  publish(40);
  clients.flush();
  const sent = posted.flatMap((report) => (report.kind === "events" ? [report.ends.length] : []));
  expect(sent).toEqual([31]);
});

test("a client whose filters take more than a quarter of a second is cut off, and others are not", () => {
  const { add, publish, posted } = open();
  add(1, 20);
  add(2, 0);
  publish(20);
  expect(posted).toMatchObject([
    { kind: "end", client: 1, why: "too-expensive" },
    { kind: "events", client: 2, ends: { length: 20 } },
  ]);
});

test("of clients whose filters take more than half a second together, the most expensive one is cut off", () => {
  const { add, publish, posted } = open();
  for (const [client, ms] of [150, 190, 100, 80, 20].entries()) add(client, ms);
  publish(1);
  expect(posted).toMatchObject([
    { kind: "end", client: 1, why: "too-expensive" },
    ...[0, 2, 3, 4].map((client) => ({ kind: "events", client, ends: { length: 1 } })),
  ]);
});

test("a client may use its time again in the next second", () => {
  const { add, publish, posted, clock } = open();
  add(1, 200);
  for (let second = 0; second < 3; second++) {
    publish(1);
    clock.ms += 1001;
  }
  expect(posted.map(({ kind }) => kind)).toEqual(["events", "events", "events"]);
});
