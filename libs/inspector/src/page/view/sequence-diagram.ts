// SPDX-License-Identifier: Apache-2.0
// The sequence diagram of one container's start, as a drawing and as a list.

import { type Explanation, toStartSequence } from "@rthooks/explain";
import {
  halfBar,
  halfName,
  layOutSequence,
  type SequenceColumn,
  type SequenceLayout,
  type SequenceRow,
  timeX,
} from "../core/sequence-layout.ts";
import { createElement, createSvgElement } from "./elements.ts";

export function renderSequence(explanation: Explanation): readonly HTMLElement[] {
  const layout = layOutSequence(toStartSequence(explanation));
  const box = createElement("div", { class: "sequence-box", tabindex: "0", role: "region" }, [
    drawSequence(layout),
  ]);
  box.setAttribute("aria-label", "Sequence diagram");
  const list = createElement(
    "ol",
    { class: "sequence-list", id: "sequence-list" },
    layout.rows.map(renderStep),
  );
  return [
    ...(layout.note === "" ? [] : [createElement("p", { class: "note" }, [layout.note])]),
    box,
    createElement("details", { class: "context" }, [
      createElement("summary", {}, ["The same as a list"]),
      list,
    ]),
  ];
}

function renderStep({ from, to, text, time, duration, tone }: SequenceRow): HTMLElement {
  const who = from === to ? from : `${from} to ${to}`;
  const took = duration === "" ? "" : `, ${duration}`;
  return createElement("li", { "data-tone": tone }, [`${time}, ${who}: ${text}${took}`]);
}

function drawSequence({ width, height, columns, rows }: SequenceLayout): SVGSVGElement {
  const size = { width: `${width}`, height: `${height}`, viewBox: `0 0 ${width} ${height}` };
  return createSvgElement(
    "svg",
    {
      ...size,
      class: "sequence",
      role: "img",
      "aria-label": "Sequence diagram of the start",
      "aria-describedby": "sequence-list",
    },
    [
      createSvgElement("defs", {}, [
        createSvgElement(
          "marker",
          {
            id: "head",
            viewBox: "0 0 10 10",
            refX: "10",
            refY: "5",
            markerWidth: "9",
            markerHeight: "9",
            orient: "auto-start-reverse",
          },
          [createSvgElement("path", { d: "M0 1 L10 5 L0 9 z", class: "sequence-head" })],
        ),
      ]),
      ...columns.map((column) => drawColumn(column, height)),
      ...rows.map(drawRow),
    ],
  );
}

function drawColumn({ name, x, active }: SequenceColumn, height: number): SVGGElement {
  const line = { x1: `${x}`, x2: `${x}`, y1: "38", y2: `${height - 8}` };
  return createSvgElement("g", { class: "participant" }, [
    createSvgElement("line", line),
    ...(active === undefined
      ? []
      : [
          createSvgElement("rect", {
            ...{ class: "active", x: `${x - halfBar}`, y: `${active.top}`, rx: "2" },
            ...{ width: `${2 * halfBar}`, height: `${active.bottom - active.top}` },
          }),
        ]),
    createSvgElement("rect", {
      class: "participant-name",
      x: `${x - halfName}`,
      y: "8",
      width: `${2 * halfName}`,
      height: "30",
      rx: "6",
    }),
    createSvgElement("text", { x: `${x}`, y: "28", "text-anchor": "middle" }, [name]),
  ]);
}

function drawRow(row: SequenceRow): SVGGElement {
  const { y, fromX, endX, textX, kind, tone, text, time, duration } = row;
  const label = createSvgElement(
    "text",
    { class: "sequence-text", x: `${textX}`, y: `${kind === "work" ? y + 4 : y - 7}` },
    [
      text,
      ...(duration === ""
        ? []
        : [createSvgElement("tspan", { class: "sequence-duration" }, [`  ${duration}`])]),
    ],
  );
  return createSvgElement("g", { class: `sequence-row ${kind}`, "data-tone": tone }, [
    createSvgElement("text", { class: "sequence-time", x: `${timeX}`, y: `${y + 4}`, "text-anchor": "end" }, [
      time,
    ]),
    kind === "work"
      ? createSvgElement("circle", { class: "sequence-work", cx: `${fromX}`, cy: `${y}`, r: "5" })
      : createSvgElement("line", {
          class: "sequence-arrow",
          x1: `${fromX}`,
          x2: `${endX}`,
          y1: `${y}`,
          y2: `${y}`,
          "marker-end": "url(#head)",
        }),
    label,
  ]);
}
