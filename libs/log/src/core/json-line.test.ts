// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderJsonLine } from "./json-line.ts";

test("lists, objects and 64-bit ids are written, and what has no value is not", () => {
  const line = renderJsonLine("t", "INFO", "m", {
    keys: ["a", "b"],
    of: { x: "1" },
    id: 2n ** 64n - 1n,
    none: undefined,
  });
  expect(line).toBe(
    '{"time":"t","level":"INFO","msg":"m","keys":["a","b"],"of":{"x":"1"},"id":"18446744073709551615"}\n',
  );
});

test.each([
  { what: "DEL alone", name: "a\u007fb" },
  { what: "a C1 control", name: "a\u009bb" },
  { what: "a bidirectional mark", name: "a\u202eb" },
  { what: "a line separator", name: "a\u2028b" },
  { what: "ESC", name: "a\u001bb" },
  { what: "a character outside of the BMP that is none", name: "a\u{e0001}b" },
])("what a terminal obeys is written as an escape, and read back: $what", ({ name }) => {
  const line = renderJsonLine("1970-01-01T00:00:00Z", "INFO", "m", { name });
  expect(line).toMatch(/^[ -~]*\n$/);
  expect(JSON.parse(line)).toMatchObject({ name });
});

test("letters of any script stay as they are", () => {
  const line = renderJsonLine("1970-01-01T00:00:00Z", "INFO", "m", { name: "naïve ✓ 名" });
  expect(line).toContain("naïve ✓ 名");
});
