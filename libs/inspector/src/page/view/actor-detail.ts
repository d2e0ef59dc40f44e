// SPDX-License-Identifier: Apache-2.0
// One actor: what is known of it, and its timeline.

import { readFailure } from "../core/actor-facts.ts";
import type { PageActor } from "../core/page-actor.ts";
import type { Moment } from "../core/step-log.ts";
import { chooseSteps } from "../core/step-window.ts";
import type { PageStore } from "../core/store.ts";
import { renderTime } from "../core/time-format.ts";
import { renderJson, showInvisible } from "../core/visible-text.ts";
import { createElement, findElement, renderState } from "./elements.ts";
import { renderFailure } from "./failure.ts";
import type { MachineDescriptions } from "./machine-descriptions.ts";
import { createTimeline } from "./timeline.ts";

export interface ActorDetail {
  /** The actor as it is at the moment; undefined if it had not started. */
  show(sessionId: string, actor: PageActor | undefined, moment: Moment | undefined): void;
  /** No actor is selected any more. */
  clear(): void;
}

export interface ActorDetailHandlers {
  onSelect(sessionId: string): void;
  onGoTo(moment: Moment): void;
}

export function openActorDetail(
  store: PageStore,
  machines: MachineDescriptions,
  { onSelect, onGoTo }: ActorDetailHandlers,
): ActorDetail {
  const body = findElement("detail", HTMLDivElement);
  const title = findElement("detail-name", HTMLSpanElement);
  const head = createElement("div", {});
  const note = createElement("p", { class: "note" });
  const timeline = createTimeline(onGoTo);
  const context = createElement("pre", { dir: "auto" });
  const rest = createElement("details", { class: "context" }, [
    createElement("summary", {}, ["Context"]),
    context,
  ]);
  let shownId: string | undefined;
  /** What `head` shows. */
  let shownFacts: readonly unknown[] = [];

  const renderHead = (known: PageActor, actor: PageActor | undefined): void => {
    const parent = known.parentId === undefined ? undefined : store.actor(known.parentId);
    const state = actor?.states.at(-1);
    const description = state === undefined ? "" : (machines.of(known.machine)?.descriptions[state] ?? "");
    const facts = [
      known.sessionId,
      known.facts,
      parent?.facts,
      state,
      actor?.changedMs,
      actor?.context,
      description,
    ];
    // The focus may be in it.
    if (facts.every((fact, at) => fact === shownFacts[at])) return;
    shownFacts = facts;
    const failure = readFailure(actor?.context);
    context.textContent = actor?.context === undefined ? "" : renderJson(actor.context);
    rest.hidden = context.textContent === "";
    head.replaceChildren(
      createElement("dl", { class: "facts" }, [
        renderFact("State", renderState(state ?? "not started")),
        ...(actor === undefined ? [] : [renderFact("Since", renderTime(actor.changedMs))]),
        ...(known.facts.place === "" ? [] : [renderFact("Place", known.facts.place)]),
        renderFact("Machine", known.machine),
        ...(parent === undefined ? [] : [renderFact("Parent", renderLink(parent, onSelect))]),
        renderFact("Actor", showInvisible(known.name)),
      ]),
      ...(description === "" ? [] : [createElement("p", { class: "description" }, [description])]),
      ...(failure === undefined ? [] : [renderFailure(failure)]),
    );
  };

  const renderSteps = (known: PageActor, moment: Moment | undefined): void => {
    const track = store.trackOf(known.sessionId);
    const { steps, earlier, later } = chooseSteps(track.steps, moment);
    const hidden = earlier + track.dropped;
    note.textContent =
      track.steps.length === 0
        ? "None of its events is kept any more."
        : [
            ...(hidden > 0 ? [`${hidden.toLocaleString()} earlier events are not shown.`] : []),
            ...(later > 0 ? [`${later.toLocaleString()} later events are not shown.`] : []),
          ].join(" ");
    note.hidden = note.textContent === "";
    timeline.show(steps, moment, machines.of(known.machine));
  };

  /** On a narrow page the whole page scrolls, and stays where it is. */
  const scrollToCurrent = (): void => {
    const item = timeline.current();
    if (item === undefined || body.scrollHeight <= body.clientHeight) return;
    const [box, frame] = [item.getBoundingClientRect(), body.getBoundingClientRect()];
    if (box.top >= frame.top && box.bottom <= frame.bottom) return;
    body.scrollTop += box.top - frame.top - (frame.height - box.height) / 2;
  };

  return {
    show(sessionId, actor, moment) {
      const known = store.actor(sessionId);
      if (known === undefined) return;
      const isFollowed = shownId === sessionId && body.scrollTop > 0 && isAtEnd(body);
      title.textContent = ` of ${known.facts.title}`;
      renderHead(known, actor);
      renderSteps(known, moment);
      if (shownId === undefined) body.replaceChildren(head, note, timeline.element, rest);
      if (shownId !== sessionId) body.scrollTop = 0;
      shownId = sessionId;
      if (isFollowed && moment === undefined) body.scrollTop = body.scrollHeight;
      scrollToCurrent();
    },
    clear() {
      shownId = undefined;
      title.textContent = "";
      body.replaceChildren(
        createElement("p", { class: "empty" }, ["Select an actor to see its events and states."]),
      );
    },
  };
}

const isAtEnd = ({ scrollTop, clientHeight, scrollHeight }: HTMLElement): boolean =>
  scrollTop + clientHeight >= scrollHeight - 24;

const renderFact = (term: string, value: Node | string): HTMLElement =>
  createElement("div", {}, [createElement("dt", {}, [term]), createElement("dd", { dir: "auto" }, [value])]);

function renderLink({ facts, sessionId }: PageActor, onSelect: (sessionId: string) => void): HTMLElement {
  const button = createElement("button", { type: "button", class: "link" }, [facts.title]);
  button.addEventListener("click", () => onSelect(sessionId));
  return button;
}
