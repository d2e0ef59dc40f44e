// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { exec } from "../wire/event-message.fixture.ts";
import { type ClientWishes, createEventClients } from "./event-clients.ts";
import { toSubject } from "./event-subject.ts";
import type { OutputReport } from "./output-messages.ts";

test("a client whose filters take more than a quarter of a second is cut off, and others are not", () => {
  let now = 0;
  const posted: OutputReport[] = [];
  const clients = createEventClients<ClientWishes>({
    post: (report) => posted.push(report),
    encodeDrops: () => new Uint8Array(),
    nowMs: () => now,
  });
  const wishes = { wantsDrops: false, fieldsKey: "" };
  clients.add(1, {
    ...wishes,
    matches() {
      now += 20;
      return true;
    },
  });
  clients.add(2, { ...wishes, matches: () => true });
  for (let i = 0; i < 20; i++) clients.publish(toSubject(exec), () => new Uint8Array([1]));
  clients.flush();
  expect(posted).toMatchObject([
    { kind: "end", client: 1, why: "too-expensive" },
    { kind: "events", client: 2, ends: { length: 20 } },
  ]);
});
