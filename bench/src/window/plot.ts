// SPDX-License-Identifier: Apache-2.0
// The windows as an SVG drawing: a row for each scenario, a lane in it for each action, a mark for each container. It follows
// the reader's colour scheme. Own lines and no library: one logarithmic axis and marks need none.

import { findMedian } from "../stats.ts";
import { type Action, actions, type Window } from "./attempt-log.ts";
import { actionNames, type Measured } from "./results-table.ts";

/** Pixels. */
const width = 900;
const lane = 24;
const rowGap = 16;
const top = 92;
/** Of the axis. Left of it is the column of containers in which nothing went through. */
const left = 360;
const right = width - 30;
const lineHeight = 18;
/** Milliseconds at the ends of the axis. */
const [from, to] = [0.01, 20_000];
const ticks = [0.01, 0.1, 1, 10, 100, 1_000, 10_000] as const;

const round = (value: number): number => Math.round(value * 10) / 10;
const toX = (ms: number): number =>
  left +
  ((Math.log10(Math.min(Math.max(ms, from), to)) - Math.log10(from)) / Math.log10(to / from)) *
    (right - left);
const toDuration = (ms: number): string => (ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`);

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? "");

/** Shapes too, and not only colours, tell the actions apart. */
const marks: Readonly<Record<Action, (x: number, y: number) => string>> = {
  exec: (x, y) => `<circle cx="${round(x)}" cy="${round(y)}" r="3.5"/>`,
  connect: (x, y) => `<rect x="${round(x - 3)}" y="${round(y - 3)}" width="6" height="6"/>`,
  call: (x, y) => `<path d="M${round(x)} ${round(y - 4)}l4 7h-8z"/>`,
};

const style = `
.plot{--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--band:#f6f8fa;--exec:#0969da;--connect:#bc4c00;--call:#8250df;--none:#1a7f37;font-family:ui-sans-serif,system-ui,"Segoe UI","DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){.plot{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--band:#161b22;--exec:#4493f8;--connect:#f0883e;--call:#ab7df8;--none:#3fb950}}
.paper{fill:var(--paper)}
.band{fill:var(--band)}
text{font-size:13px;fill:var(--ink)}
.title{font-size:17px;font-weight:600}
.soft{fill:var(--soft);font-size:12px}
.name{font-weight:600}
.none{fill:var(--none);font-weight:600}
.grid{stroke:var(--line);stroke-width:1}
.exec{fill:var(--exec)}.connect{fill:var(--connect)}.call{fill:var(--call)}
.mark{fill-opacity:.45}
.median{stroke:var(--ink);stroke-width:2}
`.trim();

const text = (x: number, y: number, content: string, of = "", anchor = "start"): string =>
  `<text x="${round(x)}" y="${round(y)}" class="${of}" text-anchor="${anchor}">${escapeXml(content)}</text>`;

/** `method`: the lines under the picture. */
export function renderPlot(measured: readonly Measured[], method: readonly string[]): string {
  const rows = measured.map((one, at) => renderRow(one, top + at * (actions.length * lane + rowGap)));
  const bottom = top + measured.length * (actions.length * lane + rowGap);
  const height = bottom + 60 + method.length * lineHeight;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">For how long a container could do what is forbidden</title>`,
    `<style>${style}</style>`,
    '<rect class="paper" width="100%" height="100%" rx="8"/>',
    text(20, 32, "For how long a container could do what is forbidden", "title"),
    ...renderLegend(),
    ...ticks.flatMap((tick) => [
      `<line class="grid" x1="${round(toX(tick))}" x2="${round(toX(tick))}" y1="${top - 8}" y2="${bottom}"/>`,
      text(toX(tick), bottom + 16, toDuration(tick), "soft", "middle"),
    ]),
    text(left, bottom + 34, "from the first action to the last one that went through (logarithmic)", "soft"),
    text(left - 20, top - 16, "nothing went through", "soft", "end"),
    ...rows,
    ...method.map((line, at) => text(20, bottom + 62 + at * lineHeight, line, "soft")),
    "</svg>",
  ].join("\n")}\n`;
}

function renderLegend(): readonly string[] {
  return actions.map((action, at) => {
    const x = left + at * 150;
    return `<g class="${action}">${marks[action](x, 52)}</g>${text(x + 12, 56, actionNames[action])}`;
  });
}

function renderRow({ scenario, windows }: Measured, y: number): string {
  const height = actions.length * lane;
  const lanes = actions.map((action, at) => renderLane(action, windows, y + at * lane + lane / 2));
  return [
    `<rect class="band" x="12" y="${y - 4}" width="${width - 24}" height="${height + 4}" rx="6" fill-opacity=".6"/>`,
    text(20, y + height / 2 - 4, scenario.name, "name"),
    text(20, y + height / 2 + 14, scenario.subtitle, "soft"),
    ...lanes,
  ].join("\n");
}

function renderLane(action: Action, windows: readonly Window[], y: number): string {
  const own = windows.filter((window) => window.action === action && window.end !== "not-started");
  if (own.length === 0) return "";
  const open = own.filter(({ through }) => through > 0);
  const none = own.length - open.length;
  // Neighbours are drawn at different heights, the same in each drawing of the same data.
  const dots = open.map(({ openMs }, at) => marks[action](toX(openMs), y + ((at % 5) - 2) * 2.2));
  const middle = open.length === 0 ? undefined : toX(findMedian(open.map(({ openMs }) => openMs)));
  return [
    text(left - 20, y + 4, `${none} of ${own.length}`, open.length === 0 ? "none" : "soft", "end"),
    `<g class="mark ${action}">${dots.join("")}</g>`,
    middle === undefined
      ? ""
      : `<line class="median" x1="${round(middle)}" x2="${round(middle)}" y1="${round(y - 9)}" y2="${round(y + 9)}"/>`,
  ].join("");
}
