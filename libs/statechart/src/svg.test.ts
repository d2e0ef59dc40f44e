// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Chart } from "./chart.ts";
import { layOut } from "./layout.ts";
import { renderSvg } from "./svg.ts";

const state = {
  kind: "atomic",
  description: "",
  isInitial: false,
  entry: [],
  exit: [],
  children: [],
} as const; // const: the kind
const chart: Chart = {
  id: "m",
  internal: [],
  states: [
    { ...state, id: "a", name: "a", isInitial: true, internal: [] },
    { ...state, id: "b", name: '<b> & "c"', internal: [{ event: "x<y", guard: "", actions: [] }] },
  ],
  transitions: [{ source: "a", target: "b", event: "</text><script>", guard: "g", actions: ["act"] }],
};

test("what the machine calls its parts is text in the drawing", async () => {
  const svg = renderSvg(await layOut(chart));
  expect(svg).toContain("&lt;b&gt; &amp; &quot;c&quot;");
  expect(svg).toContain("&lt;/text&gt;&lt;script&gt; [g]");
  expect(svg).not.toContain("<script");
  const elements = [...svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)];
  const open: string[] = [];
  for (const [, closing, name = "", empty] of elements) {
    if (closing === "/") expect(open.pop()).toBe(name);
    else if (empty === "") open.push(name);
  }
  expect(open).toEqual([]);
});

test("the same chart is drawn the same", async () => {
  expect(renderSvg(await layOut(chart))).toBe(renderSvg(await layOut(chart)));
});
