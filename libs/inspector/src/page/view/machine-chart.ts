// SPDX-License-Identifier: Apache-2.0
// The drawing of one machine at a time: states with actors are lit and have their count, and a transition is marked for a
// moment when it is taken.

import type { ActorsView, PageActor } from "../core/page-actor.ts";
import { findBusiest } from "../core/state-counts.ts";
import { findTakenLines, toTone } from "../core/state-ids.ts";
import type { TimelineStep } from "../core/step-log.ts";
import { markTaken, setBadge } from "./chart-marks.ts";
import { createElement, findElement } from "./elements.ts";
import { onTabKeys } from "./tab-keys.ts";

export interface MachineChart {
  /** Shows these actors, and marks the state of the selected one, whose machine it shows. */
  render(view: ActorsView, machines: readonly string[], selected: PageActor | undefined): void;
  flash(steps: readonly TimelineStep[]): void;
}

interface DrawnLine {
  readonly source: string;
  readonly target: string;
  readonly elements: readonly Element[];
}

interface Drawing {
  readonly svg: SVGSVGElement;
  readonly states: ReadonlyMap<string, SVGGElement>;
  readonly lines: readonly DrawnLine[];
}

/** Below it the texts cannot be read. */
const smallestScale = 0.7;
const zoomStep = 1.25;

export function openMachineChart(): MachineChart {
  const tabs = findElement("tabs", HTMLDivElement);
  const panel = findElement("drawing", HTMLDivElement);
  const loaded = new Map<string, Drawing>();
  let view: ActorsView | undefined;
  let machines: readonly string[] = [];
  let shown: string | undefined;
  let selected: PageActor | undefined;
  /** "fit": as wide as the panel. Undefined: the same where its texts can still be read. */
  let scale: number | "fit" | undefined;

  const current = (): Drawing | undefined => (shown === undefined ? undefined : loaded.get(shown));

  const toScale = ({ svg }: Drawing): number => {
    if (typeof scale === "number") return scale;
    const wide = panel.clientWidth / svg.viewBox.baseVal.width;
    return Math.min(1, scale === "fit" ? wide : Math.max(smallestScale, wide));
  };

  const resize = (): void => {
    const drawing = current();
    if (drawing === undefined) return;
    const { width, height } = drawing.svg.viewBox.baseVal;
    const factor = toScale(drawing);
    drawing.svg.setAttribute("width", `${Math.floor(width * factor)}`);
    drawing.svg.setAttribute("height", `${Math.floor(height * factor)}`);
  };

  const zoom = (factor: number): void => {
    const drawing = current();
    if (drawing !== undefined) scale = Math.min(3, Math.max(0.2, toScale(drawing) * factor));
    resize();
    scrollToState();
  };

  const show = (machine: string): void => {
    if (shown === machine) return;
    shown = machine;
    for (const tab of tabs.querySelectorAll<HTMLElement>("[role=tab]")) {
      const isShown = tab.dataset["machine"] === machine;
      tab.setAttribute("aria-selected", `${isShown}`);
      tab.tabIndex = isShown ? 0 : -1;
    }
    panel.replaceChildren();
    load(machine)
      .then(() => {
        const drawing = current();
        if (shown !== machine || drawing === undefined) return;
        panel.replaceChildren(drawing.svg);
        resize();
        mark();
        scrollToState();
      })
      .catch(() => {
        if (shown !== machine) return;
        panel.replaceChildren(createElement("p", { class: "empty" }, [`No drawing of ${machine}.`]));
      });
  };

  const load = async (machine: string): Promise<void> => {
    if (loaded.has(machine)) return;
    const response = await fetch(`/machines/${encodeURIComponent(machine)}.svg`);
    if (!response.ok) throw new Error(`no drawing: ${response.status}`);
    const parsed = new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement;
    if (!(parsed instanceof SVGSVGElement)) throw new Error("the drawing is not an SVG");
    loaded.set(machine, readDrawing(document.adoptNode(parsed)));
  };

  const mark = (): void => {
    const drawing = current();
    if (drawing === undefined || shown === undefined || view === undefined) return;
    for (const [id, element] of drawing.states) {
      const { living, ended } = view.countOf(shown, id);
      element.classList.toggle("lit", living > 0);
      const isSelected = selected?.machine === shown && selected.states.at(-1) === id;
      element.classList.toggle("chosen", isSelected);
      setBadge(element, living > 0 ? living : ended, living > 0);
    }
  };

  const busiest = (): string | undefined =>
    findBusiest(current()?.states.keys() ?? [], (id) => view?.countOf(shown ?? "", id).living ?? 0);

  /** To that of the selected actor; without one to the state with the most actors. */
  const scrollToState = (): void => {
    const id = selected?.machine === shown ? selected?.states.at(-1) : busiest();
    const box = current()
      ?.states.get(id ?? "")
      ?.getBoundingClientRect();
    if (box === undefined) return;
    const frame = panel.getBoundingClientRect();
    panel.scrollBy({
      left: box.left + box.width / 2 - frame.left - frame.width / 2,
      top: box.top + box.height / 2 - frame.top - frame.height / 2,
    });
  };

  const addTab = (machine: string, at: number): void => {
    const attributes = { type: "button", role: "tab", "aria-controls": "drawing", "data-machine": machine };
    const tab = createElement("button", { ...attributes, "aria-selected": "false" }, [machine]);
    tab.tabIndex = -1;
    tab.addEventListener("click", () => show(machine));
    onTabKeys(tab, (step) => {
      const next = machines[at + step];
      const target = tabs.children[at + step];
      if (next === undefined || !(target instanceof HTMLElement)) return undefined;
      show(next);
      return target;
    });
    tabs.append(tab);
  };

  findElement("smaller", HTMLButtonElement).addEventListener("click", () => zoom(1 / zoomStep));
  findElement("larger", HTMLButtonElement).addEventListener("click", () => zoom(zoomStep));
  findElement("fit", HTMLButtonElement).addEventListener("click", () => {
    scale = "fit";
    resize();
    scrollToState();
  });
  window.addEventListener("resize", resize);

  return {
    render(next, ids, actor) {
      view = next;
      machines = ids;
      for (const [at, machine] of machines.entries()) if (at >= tabs.children.length) addTab(machine, at);
      const isOther = actor?.sessionId !== selected?.sessionId;
      const hasMoved = isOther || actor?.states.at(-1) !== selected?.states.at(-1);
      selected = actor;
      const [first] = machines;
      const wanted = isOther && actor !== undefined ? actor.machine : (shown ?? first);
      if (wanted !== undefined && wanted !== shown) show(wanted);
      mark();
      if (hasMoved) scrollToState();
    },
    flash(steps) {
      const drawing = current();
      if (drawing === undefined) return;
      const lines = steps
        .filter(({ machine }) => machine === shown)
        .flatMap(({ from, to }) => findTakenLines(drawing.lines, from, to));
      for (const element of new Set(lines.flatMap(({ elements }) => elements))) markTaken(element);
    },
  };
}

function readDrawing(svg: SVGSVGElement): Drawing {
  const states = new Map<string, SVGGElement>();
  for (const element of svg.querySelectorAll<SVGGElement>("g[data-state]"))
    states.set(element.dataset["state"] ?? "", element);
  for (const [id, { dataset }] of states) dataset["tone"] = toTone(id);
  const lines = new Map<string, DrawnLine>();
  for (const element of svg.querySelectorAll<SVGGElement>("g[data-source]")) {
    const { source = "", target = "" } = element.dataset;
    const key = `${source} ${target}`;
    lines.set(key, { source, target, elements: [...(lines.get(key)?.elements ?? []), element] });
  }
  return { svg, states, lines: [...lines.values()] };
}
