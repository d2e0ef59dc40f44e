// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findStaticHeader, STATIC_TABLE_LENGTH } from "./hpack-static-table.ts";

test.each([
  { index: 0, header: undefined },
  { index: 1, header: { name: ":authority", value: "" } },
  { index: 3, header: { name: ":method", value: "POST" } },
  { index: 5, header: { name: ":path", value: "/index.html" } },
  { index: 6, header: { name: ":scheme", value: "http" } },
  { index: 8, header: { name: ":status", value: "200" } },
  { index: 14, header: { name: ":status", value: "500" } },
  { index: 16, header: { name: "accept-encoding", value: "gzip, deflate" } },
  { index: 31, header: { name: "content-type", value: "" } },
  { index: 58, header: { name: "user-agent", value: "" } },
  { index: 61, header: { name: "www-authenticate", value: "" } },
  { index: 62, header: undefined },
])("entry $index of RFC 7541 appendix A", ({ index, header }) => {
  expect(findStaticHeader(index)).toEqual(header);
});

test("the entries after the pseudo-headers are in the order of the alphabet, as in the RFC", () => {
  const names = Array.from({ length: STATIC_TABLE_LENGTH - 14 }, (_, at) => findStaticHeader(15 + at)?.name);
  // The RFC's one exception: entry 19, `accept`, follows the longer names that begin with it.
  const [accept] = names.splice(4, 1);
  expect(accept).toBe("accept");
  expect(names).toEqual([...names].sort());
});
