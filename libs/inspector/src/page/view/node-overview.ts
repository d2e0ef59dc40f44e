// SPDX-License-Identifier: Apache-2.0
// The node at a glance: six tiles, and the details of the one that is open.

import type { NodeOverview } from "@rthooks/explain";
import { type Tile, type TileId, toTiles } from "../core/overview-tiles.ts";
import { renderTime } from "../core/time-format.ts";
import { showInvisible } from "../core/visible-text.ts";
import { createElement, findElement } from "./elements.ts";
import { type OnContainer, renderTileDetail } from "./overview-details.ts";
import { readOverview } from "./read-facts.ts";
import { repeatWhileVisible } from "./repeat-while-visible.ts";

export interface NodeOverviewView {
  /** A program is connected, which may have an overview or not. */
  begin(hasOverview: boolean): void;
  /** Whether the chosen moment is in the past: the overview is always that of now. */
  setPast(isPast: boolean): void;
}

const pauseMs = 2000;

export function openNodeOverview(onContainer: OnContainer): NodeOverviewView {
  const section = findElement("node", HTMLElement);
  const tiles = findElement("tiles", HTMLDivElement);
  const panel = findElement("node-detail", HTMLElement);
  const node = createElement("p", { class: "tile" });
  const stale = findElement("node-stale", HTMLParagraphElement);
  const buttons = new Map<TileId, HTMLButtonElement>();
  let overview: NodeOverview | undefined;
  let opened: TileId | undefined;
  let isPresent = false;
  let isPast = false;

  const open = (id: TileId | undefined): void => {
    opened = id;
    for (const [of, button] of buttons) button.setAttribute("aria-expanded", `${of === id}`);
    panel.hidden = id === undefined;
    renderPanel();
  };

  const renderPanel = (): void => {
    if (overview === undefined || opened === undefined) return;
    const focused = document.activeElement?.getAttribute("data-container");
    panel.setAttribute("aria-label", toTiles(overview).find(({ id }) => id === opened)?.label ?? "");
    panel.replaceChildren(...renderTileDetail(opened, overview, onContainer));
    if (focused === null || focused === undefined) return;
    panel.querySelector<HTMLElement>(`[data-container="${CSS.escape(focused)}"]`)?.focus();
  };

  const renderTile = (tile: Tile): void => {
    let button = buttons.get(tile.id);
    if (button === undefined) {
      const attributes = {
        type: "button",
        class: "tile",
        "aria-expanded": "false",
        "aria-controls": "node-detail",
      };
      button = createElement("button", attributes);
      button.addEventListener("click", () => open(opened === tile.id ? undefined : tile.id));
      buttons.set(tile.id, button);
      tiles.append(button);
    }
    button.dataset["tone"] = tile.tone;
    button.replaceChildren(...renderCell(tile));
  };

  const renderNode = (read: NodeOverview): void => {
    const value = showInvisible(read.node) || "this node";
    const note = isPast ? "shown as it is now" : `tetragon ${read.version}`;
    node.replaceChildren(...renderCell({ label: "Node", value, note }));
  };

  const render = (read: NodeOverview): void => {
    overview = read;
    if (tiles.childElementCount === 0) tiles.append(node);
    renderNode(read);
    for (const tile of toTiles(read)) renderTile(tile);
    renderPanel();
  };

  const refresh = repeatWhileVisible(pauseMs, async () => {
    if (!isPresent) return;
    const read = await readOverview();
    if (read.kind === "read") render(read.value);
    section.hidden = !isPresent || overview === undefined;
    stale.hidden = read.kind === "read";
    const why = read.kind === "failed" ? read.message : "the program has no overview";
    stale.textContent = `As of ${renderTime(overview?.atMs ?? 0).slice(0, 8)}: ${why}.`;
  });

  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || opened === undefined || !section.contains(document.activeElement)) return;
    buttons.get(opened)?.focus();
    open(undefined);
  });
  return {
    begin(hasOverview) {
      isPresent = hasOverview;
      if (!isPresent) section.hidden = true;
      refresh();
    },
    setPast(next) {
      if (isPast === next) return;
      isPast = next;
      if (overview !== undefined) renderNode(overview);
    },
  };
}

const renderCell = ({
  label,
  value,
  note,
}: Pick<Tile, "label" | "value" | "note">): readonly HTMLElement[] => [
  createElement("span", { class: "tile-label" }, [label]),
  createElement("span", { class: "tile-value", dir: "auto" }, [value]),
  createElement("span", { class: "tile-note", dir: "auto" }, [showInvisible(note)]),
];
