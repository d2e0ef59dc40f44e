// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createLineCutter } from "./line-cutter.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (lines: readonly Uint8Array[]) => lines.map((line) => new TextDecoder().decode(line));

function cutAll(chunks: readonly string[], { maxBytes = 10, skipsFirst = false } = {}) {
  const cutter = createLineCutter(maxBytes, skipsFirst);
  return chunks.map((chunk) => decode(cutter.cut(encode(chunk))));
}

test.each<[string, readonly string[], object, string[][]]>([
  ["whole lines", ["a\nbc\n"], {}, [["a", "bc"]]],
  ["a line in parts", ["a", "b", "c\nd"], {}, [[], [], ["abc"]]],
  ["empty lines", ["\n\n"], {}, [["", ""]]],
  ["a line of the greatest length", ["12345", "67890\n"], {}, [[], ["1234567890"]]],
  ["a line that is too long", ["1234567890", "1\nnext\n"], {}, [[], ["next"]]],
  ["a line that is too long, at once", ["12345678901\nnext\n"], {}, [["next"]]],
  ["a line that is much too long", ["x".repeat(50), "x".repeat(50), "\nnext\n"], {}, [[], [], ["next"]]],
  ["a text that starts within a line", ["rest", " of it\nnext\n"], { skipsFirst: true }, [[], ["next"]]],
])("%s", (_, chunks, options, lines) => {
  expect(cutAll(chunks, options)).toEqual(lines);
});

test("a chunk whose bytes are reused does not change the line", () => {
  const cutter = createLineCutter(10, false);
  const buffer = encode("ab");
  cutter.cut(buffer);
  buffer.fill(0x7a);
  expect(decode(cutter.cut(encode("c\n")))).toEqual(["abc"]);
});

test("a restart forgets the line that has not ended", () => {
  const cutter = createLineCutter(10, true);
  cutter.cut(encode("old"));
  cutter.restart();
  expect(decode(cutter.cut(encode("new\n")))).toEqual(["new"]);
});

test("a line without an end takes no memory", () => {
  const cutter = createLineCutter(1024 * 1024, false);
  const chunk = new Uint8Array(64 * 1024).fill(0x78);
  const before = process.memoryUsage().rss;
  // 512 MiB.
  for (let n = 0; n < 8192; n++) cutter.cut(chunk);
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
});
