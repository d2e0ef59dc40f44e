// SPDX-License-Identifier: Apache-2.0
// The views of the selected actor: its timeline, and for a container the explanation and the sequence of its start.

import { findElement } from "./elements.ts";
import { onTabKeys } from "./tab-keys.ts";

type DetailView = "timeline" | "explain" | "sequence";

export interface DetailTabs {
  shown(): DetailView;
  show(view: DetailView): void;
  onShow(listener: () => void): void;
  /** Whether the program explains containers; without, only the timeline is there. */
  setPresent(isPresent: boolean): void;
  /** Whether the chosen moment is in the past: of the views, only the timeline shows it. */
  setPast(isPast: boolean): void;
}

const panels: Readonly<Record<DetailView, string>> = {
  timeline: "detail",
  explain: "explain",
  sequence: "sequence",
};
const titles: Readonly<Record<DetailView, string>> = {
  timeline: "Timeline",
  explain: "Explanation",
  sequence: "Start",
};
// The cast: Object.keys returns the keys as texts.
const views = Object.keys(panels) as readonly DetailView[];

export function openDetailTabs(): DetailTabs {
  const list = findElement("detail-tabs", HTMLDivElement);
  const title = findElement("detail-view", HTMLSpanElement);
  const listeners: (() => void)[] = [];
  const note = findElement("present", HTMLParagraphElement);
  let shown: DetailView = "timeline";
  let isPast = false;
  const tabOf = (view: DetailView): HTMLButtonElement => findElement(`tab-${view}`, HTMLButtonElement);

  const renderNote = (): void => {
    note.hidden = !isPast || shown === "timeline";
    // Read aloud when it appears.
    note.textContent = note.hidden ? "" : "This is what is known now, not at the chosen moment.";
  };

  const show = (view: DetailView): void => {
    shown = view;
    renderNote();
    title.textContent = titles[view];
    for (const one of views) {
      findElement(panels[one], HTMLDivElement).hidden = one !== view;
      tabOf(one).setAttribute("aria-selected", `${one === view}`);
      tabOf(one).tabIndex = one === view ? 0 : -1;
    }
    for (const listener of listeners) listener();
  };

  for (const [at, view] of views.entries()) {
    const tab = tabOf(view);
    tab.addEventListener("click", () => show(view));
    onTabKeys(tab, (step) => {
      const next = views[at + step];
      if (next === undefined) return undefined;
      show(next);
      return tabOf(next);
    });
  }
  return {
    shown: () => shown,
    show,
    onShow: (listener) => void listeners.push(listener),
    setPast(next) {
      if (isPast === next) return;
      isPast = next;
      renderNote();
    },
    setPresent(isPresent) {
      if (list.hidden === !isPresent) return;
      list.hidden = !isPresent;
      if (!isPresent) show("timeline");
    },
  };
}
