// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { toScreen } from "./screen.fixture.ts";
import { createGrowingTable, renderTable } from "./text-table.ts";

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

describe("columns that may be left out", () => {
  const table = (width: number) =>
    createGrowingTable(
      [
        { title: "A", leaveOut: 2 },
        { title: "B", shrinksTo: 4 },
        { title: "C", leaveOut: 1 },
        { title: "D", shrinksTo: 4 },
      ],
      { ...toScreen(width), paint: (_, text) => text },
    );
  const row = (...texts: readonly string[]) => [texts.map((text) => ({ text }))];

  test.each([
    { width: 21, header: "A   B  C   D", line: "aa  b  cc  dddddddd" },
    { width: 18, header: "A   B  C   D", line: "aa  b  cc  dddddd…" },
    { width: 17, header: "A   B  D", line: "aa  b  dddddddd" },
    { width: 14, header: "A   B  D", line: "aa  b  dddddd…" },
    { width: 13, header: "B  D", line: "b  dddddddd" },
    { width: 5, header: "B  D", line: "b  d…" },
  ])("go in their order, as few as possible: $width", ({ width, header, line }) =>
    expect(table(width).add(row("aa", "b", "cc", "dddddddd"))).toEqual([header, line]),
  );

  test("the header is repeated where others fit than before", () => {
    const growing = table(17);
    expect(growing.add(row("a", "b", "c", "d"))).toEqual(["A  B  C  D", "a  b  c  d"]);
    expect(growing.add(row("aa", "b", "c", "d"))).toEqual(["aa  b  c  d"]);
    expect(growing.add(row("aa", "b", "ccccc", "d"))).toEqual(["A   B  D", "aa  b  d"]);
    expect(growing.add(row("aa", "b", "c", "d"))).toEqual(["aa  b  d"]);
  });
});

test("room for later cells is left", () => {
  const growing = createGrowingTable([{ title: "A", atLeast: 3 }, { title: "B" }], toScreen(80));
  expect(growing.add([[{ text: "a" }, { text: "b" }]])[1]).toBe("a    b");
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
