// SPDX-License-Identifier: Apache-2.0
// The explanation of the selected container, and the sequence of its start.

import { type Explanation, findContainerId } from "@rthooks/explain";
import type { PageActor } from "../core/page-actor.ts";
import { showInvisible } from "../core/visible-text.ts";
import type { DetailTabs } from "./detail-tabs.ts";
import { createElement, findElement } from "./elements.ts";
import { renderExplanation } from "./explanation-parts.ts";
import { type Read, readExplanation } from "./read-facts.ts";
import { repeatWhileVisible } from "./repeat-while-visible.ts";
import { renderSequence } from "./sequence-diagram.ts";

export interface ExplanationView {
  show(actor: PageActor | undefined): void;
  /** Of a container without an actor. */
  showContainer(containerId: string): void;
}

const pauseMs = 3000;

export function openExplanation(tabs: DetailTabs): ExplanationView {
  const name = findElement("detail-name", HTMLSpanElement);
  const explain = findElement("explain", HTMLDivElement);
  const sequence = findElement("sequence", HTMLDivElement);
  let containerId = "";
  let actor: PageActor | undefined;
  /** What is in the document; what did not change is not drawn again, so that selections and open parts stay. */
  let drawn = "";

  /** A panel that is hidden keeps where it was scrolled to. */
  const scrollToTop = (): void => {
    for (const panel of [explain, sequence]) {
      if (panel.hidden || panel.dataset["container"] === containerId) continue;
      panel.dataset["container"] = containerId;
      panel.scrollTop = 0;
    }
  };

  const draw = (read: Read<Explanation>): void => {
    const text = `${containerId} ${JSON.stringify(read)}`;
    if (text === drawn) return;
    drawn = text;
    scrollToTop();
    if (read.kind === "read") {
      explain.replaceChildren(...renderExplanation(read.value));
      sequence.replaceChildren(...renderSequence(read.value));
      if (actor === undefined) name.textContent = ` of ${nameContainer(read.value)}`;
      return;
    }
    const why =
      read.kind === "none"
        ? "The agent has no record of this container."
        : `No explanation: ${read.message}.`;
    for (const panel of [explain, sequence])
      panel.replaceChildren(createElement("p", { class: "empty" }, [why]));
  };

  const refresh = repeatWhileVisible(pauseMs, async () => {
    const asked = containerId;
    if (asked === "" || tabs.shown() === "timeline") return;
    const read = await readExplanation(asked);
    if (asked === containerId) draw(read);
  });

  const choose = (id: string): void => {
    containerId = id;
    drawn = "";
    const text = id === "" ? "Select a container to see its explanation." : "Reading the explanation.";
    for (const panel of [explain, sequence])
      panel.replaceChildren(createElement("p", { class: "empty" }, [text]));
    refresh();
  };

  tabs.onShow(() => {
    scrollToTop();
    refresh();
  });
  choose("");
  return {
    show(selected) {
      if (selected === actor) return;
      const isOther = selected?.sessionId !== actor?.sessionId;
      actor = selected;
      const id = findContainerId(selected?.context);
      if (selected !== undefined && (isOther || id !== containerId)) choose(id);
      else refresh();
    },
    showContainer(id) {
      actor = undefined;
      choose(id);
    },
  };
}

const nameContainer = ({ containerId, identity }: Explanation): string =>
  showInvisible(identity.find(({ part }) => part === "container")?.value || containerId);
