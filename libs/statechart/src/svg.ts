// SPDX-License-Identifier: Apache-2.0
// A placed chart as an SVG drawing. It follows the reader's colour scheme, and carries the ids of states and transitions
// in data attributes, so a page can mark those that are active.

import { font, nameHeight, type PlacedChart, type PlacedState, type PlacedTransition } from "./layout.ts";

export function renderSvg(placed: PlacedChart): string {
  const { chart, states, transitions, rows } = placed;
  const top = rows.length === 0 ? 0 : rows.length * font.line + 46;
  const width = Math.ceil(Math.max(placed.width, widthOfRows(rows)));
  const height = Math.ceil(placed.height + top);
  const outermostFirst = states.toSorted((one, other) => one.depth - other.depth);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${chart.id}-title" data-machine="${escapeXml(chart.id)}">`,
    `<title id="${chart.id}-title">State machine ${escapeXml(chart.id)}</title>`,
    `<style>${style}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="arrow" d="M0 0.5 8 4 0 7.5Z"/></marker></defs>',
    '<rect class="paper" width="100%" height="100%" rx="8"/>',
    ...renderMachineRows(rows),
    `<g transform="translate(0 ${top})">`,
    ...outermostFirst.map(renderState),
    ...transitions.map(renderLine),
    ...transitions.map(renderLabel),
    "</g>",
    "</svg>",
  ].join("\n")}\n`;
}

const style = `
.chart{--paper:#fff;--box:#f6f8fa;--nest:#fff;--edge:#8c959f;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--accent:#0969da;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){.chart{--paper:#0d1117;--box:#161b22;--nest:#0d1117;--edge:#7d8590;--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--accent:#4493f8}}
.paper{fill:var(--paper)}
.state>rect{fill:var(--box);stroke:var(--line);stroke-width:1.5}
.state.compound>rect{fill:var(--nest);stroke-dasharray:4 3}
.state.final>rect{stroke-width:3}
.name{font-size:${font.name}px;font-weight:600;fill:var(--ink)}
.row{font-size:${font.row}px;fill:var(--soft)}
.start{fill:var(--ink)}
.transition path{fill:none;stroke:var(--edge);stroke-width:1.5}
.arrow{fill:var(--edge)}
.label rect{fill:var(--paper)}
.label text{font-size:${font.row}px;fill:var(--ink)}
`.trim();

const widthOfRows = (rows: readonly string[]): number =>
  Math.max(0, ...rows.map((row) => row.length * font.characterOfRow + 40));

function renderMachineRows(rows: readonly string[]): readonly string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(
    (row, at) => `<text class="row" x="14" y="${44 + at * font.line}">${escapeXml(row)}</text>`,
  );
  return [`<text class="name" x="14" y="26">in any state</text>`, ...lines];
}

function renderState({ state, rows, x, y, width, height }: PlacedState): string {
  const first = y + nameHeight + 8;
  const lines = rows.map(
    (row, at) =>
      `<text class="row" x="${x + 14}" y="${round(first + at * font.line)}">${escapeXml(row)}</text>`,
  );
  const start = state.isInitial
    ? `<circle class="start" cx="${round(x + width - 14)}" cy="${round(y + 17)}" r="4"><title>initial state</title></circle>`
    : "";
  return [
    `<g class="state ${state.kind}" data-state="${escapeXml(state.id)}">`,
    `<title>${escapeXml([state.name, state.description].filter((text) => text !== "").join(": "))}</title>`,
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="8"/>`,
    `<text class="name" x="${round(x + 14)}" y="${round(y + 22)}">${escapeXml(state.name)}</text>`,
    start,
    ...lines,
    "</g>",
  ].join("");
}

function renderLine({ transitions, points }: PlacedTransition): string {
  const title = transitions.map(({ event, guard, actions }) => {
    const condition = guard === "" ? "" : ` [${guard}]`;
    return `${event}${condition}${actions.length === 0 ? "" : ` / ${actions.join(", ")}`}`;
  });
  return `<g class="transition" ${attributes(transitions)}><title>${escapeXml(title.join("\n"))}</title><path d="${toPath(points)}" marker-end="url(#arrow)"/></g>`;
}

function renderLabel({ transitions, lines, label: { x, y, width, height } }: PlacedTransition): string {
  const texts = lines.map(
    (line, at) =>
      `<text x="${round(x + width / 2)}" y="${round(y + 13 + at * font.line)}" text-anchor="middle">${escapeXml(line)}</text>`,
  );
  return `<g class="label" ${attributes(transitions)}><rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="4"/>${texts.join("")}</g>`;
}

function attributes(transitions: PlacedTransition["transitions"]): string {
  const [first] = transitions;
  return `data-source="${escapeXml(first?.source ?? "")}" data-target="${escapeXml(first?.target ?? "")}"`;
}

const cornerRadius = 7;

/** Straight lines with round corners. */
function toPath(points: PlacedTransition["points"]): string {
  return points
    .map(({ x, y }, at) => {
      const before = points[at - 1];
      const after = points[at + 1];
      if (before === undefined) return `M${round(x)} ${round(y)}`;
      if (after === undefined) return `L${round(x)} ${round(y)}`;
      const enter = towards({ x, y }, before);
      const leave = towards({ x, y }, after);
      return `L${enter} Q${round(x)} ${round(y)} ${leave}`;
    })
    .join(" ");
}

/** The point near `from` on the way to `to`. */
function towards(
  from: { readonly x: number; readonly y: number },
  to: { readonly x: number; readonly y: number },
): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(cornerRadius, length / 2) / length;
  return `${round(from.x + (to.x - from.x) * share)} ${round(from.y + (to.y - from.y) * share)}`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? "");
