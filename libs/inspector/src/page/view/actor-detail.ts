// SPDX-License-Identifier: Apache-2.0
// One actor: what is known of it, and its timeline.

import { toTone } from "../core/state-ids.ts";
import type { PageActor, PageStore, TimelineStep } from "../core/store.ts";
import { renderDuration, renderTime } from "../core/time-format.ts";
import { showInvisible } from "../core/visible-text.ts";
import { createElement, findElement } from "./elements.ts";

export interface ActorDetail {
  show(actor: PageActor | undefined): void;
}

export function openActorDetail(store: PageStore, onSelect: (sessionId: string) => void): ActorDetail {
  const body = findElement("detail", HTMLDivElement);
  const title = findElement("detail-title", HTMLHeadingElement);
  const head = createElement("div", {});
  const timeline = createElement("ol", { class: "timeline" });
  const context = createElement("pre", { dir: "auto" });
  const rest = createElement("details", { class: "context" }, [
    createElement("summary", {}, ["Context"]),
    context,
  ]);
  let shown: PageActor | undefined;

  /** Adds the new steps only, so that what the reader has opened stays open. */
  const renderSteps = (actor: PageActor): void => {
    const isSame = shown?.sessionId === actor.sessionId && shown.sinceMs === actor.sinceMs;
    const before = isSame && shown !== undefined ? shown.droppedSteps + shown.steps.length : 0;
    if (!isSame || before < actor.droppedSteps) timeline.replaceChildren();
    const first = Math.max(0, before - actor.droppedSteps);
    timeline.append(...actor.steps.slice(first).map(renderStep));
    while (timeline.children.length > actor.steps.length) timeline.firstElementChild?.remove();
  };

  const renderHead = (actor: PageActor): void => {
    const parent = actor.parentId === undefined ? undefined : store.actor(actor.parentId);
    const { facts } = actor;
    head.replaceChildren(
      createElement("dl", { class: "facts" }, [
        renderFact("State", renderState(actor.states.at(-1) ?? "starting")),
        renderFact("Since", renderTime(actor.changedMs)),
        ...(facts.place === "" ? [] : [renderFact("Place", facts.place)]),
        renderFact("Machine", actor.machine),
        renderFact("Actor", showInvisible(actor.name)),
        ...(parent === undefined ? [] : [renderFact("Parent", renderLink(parent, onSelect))]),
      ]),
      ...(facts.failure === ""
        ? []
        : [createElement("p", { class: "failure", dir: "auto" }, [facts.failure])]),
      ...(actor.steps.length === 0
        ? [createElement("p", { class: "empty" }, ["It has had no event since this page was opened."])]
        : []),
    );
  };

  return {
    show(actor) {
      if (actor === undefined || actor === shown) return;
      title.textContent = `Timeline of ${actor.facts.title}`;
      renderHead(actor);
      renderSteps(actor);
      context.textContent = toText(actor.context);
      if (shown === undefined) body.replaceChildren(head, timeline, rest);
      shown = actor;
    },
  };
}

const renderFact = (term: string, value: Node | string): HTMLElement =>
  createElement("div", {}, [createElement("dt", {}, [term]), createElement("dd", { dir: "auto" }, [value])]);

const renderState = (state: string): HTMLElement =>
  createElement("span", { class: "state-name", "data-tone": toTone(state) }, [state]);

function renderLink({ facts, sessionId }: PageActor, onSelect: (sessionId: string) => void): HTMLElement {
  const button = createElement("button", { type: "button" }, [facts.title]);
  button.addEventListener("click", () => onSelect(sessionId));
  return button;
}

function renderStep({ atMs, event, payload, from, to, inStateMs }: TimelineStep): HTMLElement {
  const isMove = from !== to;
  const after = createElement("span", { class: "after" }, [
    isMove && from !== "" ? renderDuration(inStateMs) : "",
  ]);
  if (isMove && from !== "") after.title = `time in ${from}`;
  return createElement("li", {}, [
    createElement("time", { datetime: new Date(atMs).toISOString() }, [renderTime(atMs)]),
    after,
    createElement("span", { class: "what", dir: "auto" }, [
      createElement("span", {}, [event]),
      ...(isMove ? [createElement("span", {}, ["→ ", renderState(to)])] : []),
    ]),
    ...(payload === undefined
      ? []
      : [
          createElement("details", {}, [
            createElement("summary", {}, ["Payload"]),
            createElement("pre", { dir: "auto" }, [toText(payload)]),
          ]),
        ]),
  ]);
}

const toText = (value: unknown): string => showInvisible(JSON.stringify(value, undefined, 2) ?? "");
