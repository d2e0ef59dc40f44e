// SPDX-License-Identifier: Apache-2.0
// The list of actors. Only the rows in sight are in the document.

import { moveByKey, scrollToRow, toRowRange } from "../core/list-window.ts";
import type { ActorsView, PageActor } from "../core/page-actor.ts";
import { findActors } from "../core/search.ts";
import { createElement, findElement, renderState } from "./elements.ts";

export interface ActorList {
  /** Shows these actors, and marks the selected one. */
  render(view: ActorsView, machines: readonly string[], selectedId: string | undefined): void;
}

const rowHeight = 56;

export function openActorList(onSelect: (sessionId: string) => void): ActorList {
  const rows = findElement("rows", HTMLDivElement);
  const extent = findElement("extent", HTMLDivElement);
  const empty = findElement("empty", HTMLParagraphElement);
  const found = findElement("found", HTMLParagraphElement);
  const text = findElement("text", HTMLInputElement);
  const machine = findElement("machine", HTMLSelectElement);
  const ended = findElement("ended", HTMLInputElement);
  const query = findElement("query", HTMLFormElement);
  let actors: readonly PageActor[] = [];
  let view: ActorsView | undefined;
  let selected: string | undefined;

  const toViewport = () => ({
    ...{ rows: actors.length, rowHeight },
    ...{ scrollTop: rows.scrollTop, height: rows.clientHeight },
  });

  const renderRows = (): void => {
    const { first, end } = toRowRange(toViewport());
    extent.replaceChildren(
      ...actors.slice(first, end).map((actor, at) => renderRow(actor, first + at, actors.length, selected)),
    );
    const active = extent.querySelector('[aria-selected="true"]');
    if (active === null) rows.removeAttribute("aria-activedescendant");
    else rows.setAttribute("aria-activedescendant", active.id);
  };

  const readView = (): void => {
    const all = { text: text.value, machine: machine.value, includesEnded: ended.checked };
    const matching = findActors(view?.actors() ?? [], all);
    actors = matching.toSorted((one, other) => other.sinceMs - one.sinceMs);
    extent.style.height = `${actors.length * rowHeight}px`;
    empty.hidden = actors.length > 0;
    empty.textContent = all.text === "" ? "No actors." : "No actor has all these words.";
    found.textContent = actors.length === 1 ? "1 actor" : `${actors.length.toLocaleString()} actors`;
    renderRows();
  };

  const choose = (row: number): void => {
    const actor = actors[row];
    if (actor === undefined) return;
    rows.scrollTop = scrollToRow(toViewport(), row);
    onSelect(actor.sessionId);
  };

  rows.addEventListener("scroll", renderRows, { passive: true });
  rows.addEventListener("keydown", (event) => {
    const row = actors.findIndex(({ sessionId }) => sessionId === selected);
    const target = moveByKey(event.key, row, toViewport());
    if (target === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    choose(target);
  });
  extent.addEventListener("click", ({ target }) => {
    const row = target instanceof Element ? target.closest("[data-row]") : null;
    if (row !== null) choose(Number(row.getAttribute("data-row")));
  });
  query.addEventListener("input", readView);
  query.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("resize", renderRows);

  return {
    render(next, machines, selectedId) {
      view = next;
      selected = selectedId;
      for (const id of machines.slice(machine.options.length - 1))
        machine.append(createElement("option", { value: id }, [id]));
      readView();
    },
  };
}

function renderRow(actor: PageActor, row: number, count: number, selected: string | undefined): HTMLElement {
  const { facts, machine, states, hasEnded, sessionId } = actor;
  const state = states.at(-1) ?? "";
  const element = createElement(
    "div",
    {
      class: hasEnded ? "row-of-actor ended" : "row-of-actor",
      role: "option",
      id: `row-${row}`,
      "data-row": `${row}`,
      "aria-selected": `${sessionId === selected}`,
      "aria-posinset": `${row + 1}`,
      "aria-setsize": `${count}`,
    },
    [
      createElement("span", { class: "title", dir: "auto" }, [facts.title]),
      renderState(state),
      createElement("span", { class: "place", dir: "auto" }, [facts.place || " "]),
      createElement("span", { class: "kind" }, [machine]),
    ],
  );
  element.style.top = `${row * rowHeight}px`;
  return element;
}
