// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createDemultiplexer, encodeFrames } from "./multiplexer.ts";

test("a message of up to 4,096 bytes is one frame; a longer one has its rest in a second", () => {
  for (const [length, frames] of [
    [0, [0]],
    [4096, [4096]],
    [4097, [4096, 1]],
    [100_000, [4096, 95_904]],
  ] as const) {
    const bytes = encodeFrames(2, new Uint8Array(length).fill(7));
    const view = new DataView(bytes.buffer);
    const lengths: number[] = [];
    for (let at = 0; at < bytes.length; at += 8 + (lengths.at(-1) ?? 0)) {
      expect(view.getUint32(at)).toBe(2);
      lengths.push(view.getUint32(at + 4));
    }
    expect(lengths).toEqual([...frames]);
  }
});

test("payload is handed on as it comes, without waiting for the frame's end", () => {
  const seen: string[] = [];
  const { receive } = createDemultiplexer((id, bytes) => void seen.push(`${id}:${bytes.join(",")}`));
  receive(Uint8Array.of(0, 0, 0, 1, 0, 0, 0));
  receive(Uint8Array.of(3, 10));
  receive(Uint8Array.of(11));
  receive(Uint8Array.of(12, 0, 0, 0, 2, 0, 0, 0, 1, 20));
  expect(seen).toEqual(["1:10", "1:11", "1:12", "2:20"]);
});
