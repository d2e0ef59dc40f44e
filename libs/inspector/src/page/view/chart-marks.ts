// SPDX-License-Identifier: Apache-2.0
// What is drawn onto a chart: numbers of actors, and the transitions that were just taken.

import { createSvgElement } from "./elements.ts";

/** The number of actors, on the upper right corner of a state. */
export function setBadge(state: SVGGElement, count: number, isLiving: boolean): void {
  const badge = state.querySelector(":scope > .badge");
  const text = count.toLocaleString();
  const style = isLiving ? "badge" : "badge ended";
  if (badge?.getAttribute("data-count") === text && badge.getAttribute("class") === style) return;
  badge?.remove();
  const box = state.querySelector(":scope > rect");
  if (count === 0 || box === null) return;
  const [x = 0, y = 0, width = 0] = ["x", "y", "width"].map((name) => Number(box.getAttribute(name)));
  const size = 14 + text.length * 8;
  const left = x + width - size + 8;
  state.append(
    createSvgElement("g", { class: style, "data-count": text }, [
      createSvgElement("rect", { x: `${left}`, y: `${y - 11}`, width: `${size}`, height: "20", rx: "10" }),
      createSvgElement("text", { x: `${left + size / 2}`, y: `${y + 3.5}` }, [text]),
    ]),
  );
}

const flashMs = 900;
const flashes = new WeakMap<Element, ReturnType<typeof setTimeout>>();

/** For a moment: a transition was taken. */
export function markTaken(element: Element): void {
  clearTimeout(flashes.get(element));
  element.classList.add("taken");
  flashes.set(
    element,
    setTimeout(() => element.classList.remove("taken"), flashMs),
  );
}
