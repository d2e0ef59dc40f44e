// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { fromByteText } from "./bytes.ts";
import { ErrorCode } from "./frames.ts";
import { createHpackDecoder } from "./hpack-decode.ts";
import { encodeInteger, encodeLiteral } from "./hpack-encode.ts";

const LIMITS = { maxTableBytes: 4096, maxListBytes: 65_536 };

const get = ":method: GET";
const http = ":scheme: http";
const example = ":authority: www.example.com";
const customValue = "custom-key: custom-value";
const requests = [
  [get, http, ":path: /", example],
  [get, http, ":path: /", example, "cache-control: no-cache"],
  [get, ":scheme: https", ":path: /index.html", example, customValue],
];
const isPrivate = "cache-control: private";
const date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const location = "location: https://www.example.com";
const cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const responses = [
  [":status: 302", isPrivate, date, location],
  [":status: 307", isPrivate, date, location],
  [
    ":status: 200",
    isPrivate,
    "date: Mon, 21 Oct 2013 20:13:22 GMT",
    location,
    "content-encoding: gzip",
    cookie,
  ],
];

/** RFC 7541 appendix C: the encoded blocks of one connection, their headers, and the table's size after each. */
const VECTORS: readonly {
  readonly name: string;
  readonly maxTableBytes?: number;
  readonly blocks: readonly string[];
  readonly headers: readonly (readonly string[])[];
  readonly tableBytes: readonly number[];
}[] = [
  {
    name: "C.2.1 literal with indexing",
    blocks: ["400a637573746f6d2d6b65790d637573746f6d2d686561646572"],
    headers: [["custom-key: custom-header"]],
    tableBytes: [55],
  },
  {
    name: "C.2.2 literal without indexing",
    blocks: ["040c2f73616d706c652f70617468"],
    headers: [[":path: /sample/path"]],
    tableBytes: [0],
  },
  {
    name: "C.2.3 literal never indexed",
    blocks: ["100870617373776f726406736563726574"],
    headers: [["password: secret"]],
    tableBytes: [0],
  },
  { name: "C.2.4 indexed", blocks: ["82"], headers: [[get]], tableBytes: [0] },
  {
    name: "C.3 requests without Huffman",
    blocks: [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ],
    headers: requests,
    tableBytes: [57, 110, 164],
  },
  {
    name: "C.4 requests with Huffman",
    blocks: [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ],
    headers: requests,
    tableBytes: [57, 110, 164],
  },
  {
    name: "C.5 responses without Huffman, with eviction",
    maxTableBytes: 256,
    blocks: [
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ],
    headers: responses,
    tableBytes: [222, 222, 215],
  },
  {
    name: "C.6 responses with Huffman, with eviction",
    maxTableBytes: 256,
    blocks: [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ],
    headers: responses,
    tableBytes: [222, 222, 215],
  },
];

describe("the examples of RFC 7541 appendix C", () => {
  test.each([...VECTORS])("$name", ({ blocks, headers, tableBytes, maxTableBytes }) => {
    const decoder = createHpackDecoder({ ...LIMITS, maxTableBytes: maxTableBytes ?? 4096 });
    expect(
      blocks.map((block) => [render(decoder.decode(Uint8Array.fromHex(block))), decoder.tableBytes]),
    ).toEqual(headers.map((list, index) => [list, tableBytes[index]]));
  });
});

describe("the dynamic table", () => {
  const entry = "4001610162"; // a: b, indexed

  test("is emptied by an entry larger than itself, which is read all the same", () => {
    const decoder = createHpackDecoder({ ...LIMITS, maxTableBytes: 40 });
    decoder.decode(Uint8Array.fromHex(entry));
    expect(decoder.tableBytes).toBe(34);
    expect(render(decoder.decode(Uint8Array.fromHex(`4001610a${"63".repeat(10)}`)))).toEqual([
      `a: ${"c".repeat(10)}`,
    ]);
    expect(decoder.tableBytes).toBe(0);
  });

  test("may be named by a new entry that evicts the entry with the name", () => {
    const decoder = createHpackDecoder({ ...LIMITS, maxTableBytes: 40 });
    decoder.decode(Uint8Array.fromHex(entry));
    expect(render(decoder.decode(Uint8Array.fromHex("7e0163be")))).toEqual(["a: c", "a: c"]);
  });

  test("shrinks and grows as the encoder says in front of a block", () => {
    const decoder = createHpackDecoder(LIMITS);
    decoder.decode(Uint8Array.fromHex(entry));
    // Down to 0, up to 4096, then the evicted entry is missed.
    expect(decoder.decode(Uint8Array.fromHex("203fe11fbe")).ok).toBe(false);
    expect(render(decoder.decode(Uint8Array.fromHex(`${entry}be`)))).toEqual(["a: b", "a: b"]);
  });
});

test.each([
  { name: "index 0", block: "80" },
  { name: "an index beyond both tables", block: "be" },
  { name: "a literal whose name index is beyond both tables", block: "7e0161" },
  { name: "a number cut short", block: "ff" },
  { name: "a number longer than any index", block: "ffffffffffffffffff01" },
  { name: "a number of zeros without end", block: "ff808080808080808000" },
  { name: "a table size written longer than needed", block: "3f8080808080808000" },
  { name: "a name cut short", block: "000561" },
  { name: "a missing value", block: "0461" },
  { name: "no value at all", block: "04" },
  { name: "no name at all", block: "40" },
  { name: "a string of four gigabytes", block: "007fffffffff0f" },
  { name: "a table size above the setting", block: "3fe21f" },
  { name: "a table size after a header", block: "8220" },
  { name: "a table size cut short", block: "3f" },
  { name: "Huffman padding of a whole byte", block: "0082ffff0161" },
])("$name is a compression error", ({ block }) => {
  const decoded = createHpackDecoder(LIMITS).decode(Uint8Array.fromHex(block));
  expect(decoded.ok ? decoded.value : decoded.error.code).toBe(ErrorCode.compressionError);
});

test("a small block that stands for a large list is refused at the limit", () => {
  const decoder = createHpackDecoder(LIMITS);
  const remembered = Uint8Array.fromHex(`4001617fe11d${"62".repeat(3936)}`);
  expect(decoder.decode(remembered).ok).toBe(true);
  const bomb = decoder.decode(new Uint8Array(16_384).fill(0xbe));
  expect(bomb.ok ? bomb.value.length : bomb.error.code).toBe(ErrorCode.enhanceYourCalm);
});

test("names and values are bytes, whatever they spell", () => {
  const block = Uint8Array.fromHex("00095f5f70726f746f5f5f03fffe00");
  expect(createHpackDecoder(LIMITS).decode(block)).toEqual({
    ok: true,
    value: [{ name: "__proto__", value: "\xff\xfe\0" }],
  });
});

test("what our encoder writes is read back", () => {
  const decoder = createHpackDecoder(LIMITS);
  for (const length of [0, 1, 126, 127, 128, 254, 255, 16_384, 60_000]) {
    const value = "v".repeat(length);
    expect(render(decoder.decode(fromByteText(encodeLiteral("x-name", value))))).toEqual([
      `x-name: ${value}`,
    ]);
    expect(render(decoder.decode(fromByteText(encodeLiteral(58, value))))).toEqual([`user-agent: ${value}`]);
  }
  for (let index = 1; index <= 61; index += 1) {
    expect(decoder.decode(fromByteText(encodeInteger(0x80, 7, index))).ok).toBe(true);
  }
  expect(decoder.decode(fromByteText(encodeInteger(0x80, 7, 62))).ok).toBe(false);
});

function render(decoded: ReturnType<ReturnType<typeof createHpackDecoder>["decode"]>): unknown {
  return decoded.ok ? decoded.value.map(({ name, value }) => `${name}: ${value}`) : decoded.error;
}
