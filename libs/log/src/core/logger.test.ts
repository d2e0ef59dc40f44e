// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderLogLine } from "./logger.ts";

const time = "2026-01-02T03:04:05.678901Z";

test("text is key=value, with quotes only where they are needed", () => {
  const fields = { id: 12n, pod: "web-0", err: 'say "no"\n', none: undefined, empty: "", eq: "a=b" };
  expect(renderLogLine("text", time, "info", "container released", fields)).toBe(
    `time=${time} level=info msg="container released" id=12 pod=web-0 err="say \\"no\\"\\n" empty="" eq="a=b"\n`,
  );
});

test("JSON has the same fields, and ids as text", () => {
  const fields = { id: 18446744073709551615n, count: 3, err: 'é "\u0000\n', none: undefined, bare: "a\\b" };
  const line = renderLogLine("json", time, "warn", "m", fields);
  expect(line.endsWith("}\n")).toBeTrue();
  expect(JSON.parse(line)).toEqual({
    time,
    level: "warn",
    msg: "m",
    id: "18446744073709551615",
    count: 3,
    err: 'é "\u0000\n',
    bare: "a\\b",
  });
});

test.each(["text", "json"] as const)("a %s line stays one line whatever a name holds", (format) => {
  const line = renderLogLine(format, time, "info", "m", { pod: "a\nb\r\u2028\u001b[31m", "": "" });
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(line).not.toContain("\u001b");
});

test.each(["text", "json"] as const)("a %s line has nothing that a terminal obeys", (format) => {
  const name = "a\u009b31m\u007f\u202e\u2066\u200b\u2028\ufeff\u{e0001}é";
  const line = renderLogLine(format, time, "info", name, { pod: name, "": "" });
  expect(line).toMatch(/^[ -~é]*\n$/);
  const escaped = JSON.parse(`"${/a\\u009b[^"]*/.exec(line)?.[0]}"`);
  expect(escaped).toBe(name);
});
