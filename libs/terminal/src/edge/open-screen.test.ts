// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { openScreen } from "./open-screen.ts";

const terminal = { isTTY: true, columns: 80 };
const red = "\u001b[31mx\u001b[39m";

test.each([
  { what: "a terminal", stream: terminal, env: {}, columns: 80, shown: red },
  {
    what: "a terminal with an empty NO_COLOR",
    stream: terminal,
    env: { NO_COLOR: "" },
    columns: 80,
    shown: red,
  },
  { what: "NO_COLOR", stream: terminal, env: { NO_COLOR: "1" }, columns: 80, shown: "x" },
  { what: "TERM=dumb", stream: terminal, env: { TERM: "dumb" }, columns: 80, shown: "x" },
  {
    what: "a pipe",
    stream: { isTTY: false, columns: 80 },
    env: {},
    columns: Number.POSITIVE_INFINITY,
    shown: "x",
  },
  {
    what: "a terminal of unknown width",
    stream: { isTTY: true, columns: 0 },
    env: {},
    columns: Number.POSITIVE_INFINITY,
    shown: red,
  },
])("$what", ({ stream, env, columns, shown }) => {
  const screen = openScreen(stream, env);
  expect(screen.columns).toBe(columns);
  expect(screen.paint("red", "x")).toBe(shown);
});
