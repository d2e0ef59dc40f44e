// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createEventStreams } from "./event-streams.ts";
import type { OutputRequest } from "./output-messages.ts";

function open() {
  const posted: OutputRequest[] = [];
  const written: number[] = [];
  const ended: string[] = [];
  const streams = createEventStreams((request) => posted.push(request));
  const stream = streams.open(new Uint8Array(), {
    write(event) {
      written.push(...event);
      return false;
    },
    end: (why) => ended.push(why),
  });
  const bytes = new Uint8Array([1, 2, 3]);
  streams.handle({ kind: "events", client: 0, bytes, ends: [1, 2, 3] });
  return { ...{ streams, stream, posted, written, ended } };
}

test("events are written as the connection takes them, and are taken when all are written", () => {
  const { stream, posted, written } = open();
  expect(written).toEqual([1]);
  stream.onReady();
  stream.onReady();
  expect([written, posted.length]).toEqual([[1, 2, 3], 1]);
  stream.onReady();
  expect(posted.at(-1)).toEqual({ kind: "taken", client: 0, events: 3 });
});

test.each([
  {
    by: "the thread of the events",
    end: ({ streams }: ReturnType<typeof open>) =>
      streams.handle({ kind: "end", client: 0, why: "too-expensive", details: "" }),
  },
  { by: "the end of that thread", end: ({ streams }: ReturnType<typeof open>) => streams.endAll("") },
  { by: "its client", end: ({ stream }: ReturnType<typeof open>) => stream.close() },
])("nothing is written to a connection that $by has ended", ({ end }) => {
  const opened = open();
  end(opened);
  opened.stream.onReady();
  expect(opened.written).toEqual([1]);
  expect(opened.streams.size).toBe(0);
  opened.streams.endAll("");
  expect(opened.ended.length).toBeLessThan(2);
});
