// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toScreen } from "./screen.fixture.ts";
import { renderTable } from "./text-table.ts";

const columns = [{ title: "POD", shrinksTo: 10 }, { title: "STATE" }, { title: "WHY", shrinksTo: 10 }];
const render = (width: number, ...rows: (readonly string[])[]): readonly string[] =>
  renderTable(
    columns,
    rows.map((row) => row.map((text) => ({ text }))),
    toScreen(width),
  ).map((line) => line.replace(/<\/?bold>/g, ""));

test("columns are aligned by what the terminal shows of a cell", () => {
  expect(
    render(Number.POSITIVE_INFINITY, ["日本", "ok", "-"], ["e\u0301", "ok", "-"], ["web-0", "ok", "-"]),
  ).toEqual(["POD    STATE  WHY", "日本   ok     -", "e\u0301      ok     -", "web-0  ok     -"]);
});

test("no line is wider than the terminal, and the widest columns are cut first", () => {
  const lines = render(
    40,
    ["p".repeat(60), "released", "w".repeat(15)],
    ["web-0", "failed", "日".repeat(60)],
  );
  expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(40);
  expect(lines).toEqual([
    "POD             STATE     WHY",
    `${"p".repeat(13)}…  released  ${"w".repeat(13)}…`,
    `web-0           failed    ${"日".repeat(6)}…`,
  ]);
});

test("where the terminal is too narrow, columns are left out at the right", () => {
  const lines = render(16, ["p".repeat(60), "released", "w".repeat(60)]);
  expect(lines).toEqual(["POD         STA…", `${"p".repeat(9)}…  rel…`]);
});

test("a cell is escaped, and a style covers its text without the padding", () => {
  const cell = { text: "a\u001b[0m", style: "red" } as const;
  expect(
    renderTable([{ title: "A LONG TITLE" }, { title: "B" }], [[cell, { text: "b" }]], toScreen(80)),
  ).toEqual(["<bold>A LONG TITLE</bold>  <bold>B</bold>", "<red>a\\u{1b}[0m</red>    b"]);
});

test("nothing is cut where the output is not a terminal", () => {
  expect(render(Number.POSITIVE_INFINITY, ["p".repeat(5_000), "ok", "-"])[1]).toBe(
    `${"p".repeat(5_000)}  ok     -`,
  );
});
