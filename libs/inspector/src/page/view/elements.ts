// SPDX-License-Identifier: Apache-2.0
// Elements of the page, found by their id, and made. Texts become text nodes, so a name is never markup.

import { toTone } from "../core/state-ids.ts";

/** Throws where index.html lacks the element: a mistake in this program. */
export function findElement<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`);
  return element;
}

export function createElement<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A state's name, in the colour of its meaning. */
export const renderState = (state: string): HTMLElement =>
  createElement("span", { class: "state-name", "data-tone": toTone(state) }, [state]);

const svgNamespace = "http://www.w3.org/2000/svg";

export function createSvgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>>,
  children: readonly (Node | string)[] = [],
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
