// SPDX-License-Identifier: Apache-2.0
// The steps of one actor: event, guards, transition, time in the state before, payload, failure.

import { readFailure } from "../core/actor-facts.ts";
import { findGuards, type MachineDescription } from "../core/guards.ts";
import { toTone } from "../core/state-ids.ts";
import { isMove, isTaken, type Moment, type TimelineStep } from "../core/step-log.ts";
import { renderDuration, renderTime } from "../core/time-format.ts";
import { renderJson, showInvisible } from "../core/visible-text.ts";
import { createElement, renderState } from "./elements.ts";
import { renderFailure } from "./failure.ts";

export interface Timeline {
  readonly element: HTMLOListElement;
  /** Steps after the moment are marked as later; undefined: now. */
  show(
    steps: readonly TimelineStep[],
    moment: Moment | undefined,
    machine: MachineDescription | undefined,
  ): void;
  /** The step after which the moment is; undefined for now. */
  current(): HTMLElement | undefined;
}

/** `onGoTo`: the reader wants to see the moment right after a step. */
export function createTimeline(onGoTo: (moment: Moment) => void): Timeline {
  const element = createElement("ol", { class: "timeline" });
  const items = new Map<TimelineStep, HTMLLIElement>();
  let described: MachineDescription | undefined;
  let current: HTMLElement | undefined;

  return {
    element,
    show(steps, moment, machine) {
      // The guards are known now.
      if (machine !== described) items.clear();
      if (machine !== described) element.replaceChildren();
      described = machine;
      const wanted = new Set(steps);
      for (const [step, item] of items) {
        if (wanted.has(step)) continue;
        item.remove();
        items.delete(step);
      }
      // Items stay where they are: what the reader has opened stays open, and the focus stays.
      let next = element.firstElementChild;
      current = undefined;
      for (const step of steps) {
        const known = items.get(step);
        const item = known ?? renderStep(step, machine, onGoTo);
        if (known === undefined) element.insertBefore(item, next);
        else next = item.nextElementSibling;
        items.set(step, item);
        const isLater = moment !== undefined && !isTaken(step, moment);
        item.classList.toggle("later", isLater);
        item.removeAttribute("aria-current");
        if (moment !== undefined && !isLater) current = item;
      }
      current?.setAttribute("aria-current", "step");
    },
    current: () => current,
  };
}

function renderStep(
  step: TimelineStep,
  machine: MachineDescription | undefined,
  onGoTo: (moment: Moment) => void,
): HTMLLIElement {
  const { atMs, event, payload, from, to, fromSinceMs, context } = step;
  const [source = "", target = ""] = [from.at(-1), to.at(-1)];
  const time = createElement("button", { type: "button", class: "moment", title: "Show this moment" }, [
    createElement("time", { datetime: new Date(atMs).toISOString() }, [renderTime(atMs)]),
  ]);
  time.addEventListener("click", () => onGoTo(step));
  const guards = machine === undefined ? [] : findGuards(machine, { event, from: source, to: target });
  const condition = guards.map((guard) => `if ${guard}`).join(", or ");
  const isMoved = isMove(step);
  // The steps after it may have it in their context too.
  const isFailing = isMoved && toTone(target) === "bad" && toTone(source) !== "bad";
  const failure = isFailing ? readFailure(context) : undefined;
  return createElement("li", { ...(isMoved ? { "data-tone": toTone(target) } : {}) }, [
    time,
    createElement("div", { class: "step" }, [
      createElement("p", { class: "what", dir: "auto" }, [
        createElement("span", { class: "event" }, [showInvisible(event)]),
        ...(isMoved
          ? [
              createElement("span", { class: "move" }, [
                ...(source === "" ? [] : [renderState(source), " "]),
                "→ ",
                renderState(target),
              ]),
            ]
          : []),
        ...(condition === "" ? [] : [createElement("span", { class: "guard" }, [condition])]),
      ]),
      ...(isMoved && source !== ""
        ? [createElement("p", { class: "after" }, [`${renderDuration(atMs - fromSinceMs)} in ${source}`])]
        : []),
      ...(failure === undefined ? [] : [renderFailure(failure)]),
      ...(payload === undefined ? [] : [renderPayload(payload)]),
    ]),
  ]);
}

/** The text is made when it is opened: most payloads are not. */
function renderPayload(payload: unknown): HTMLElement {
  const text = createElement("pre", { dir: "auto" });
  const details = createElement("details", {}, [createElement("summary", {}, ["Payload"]), text]);
  details.addEventListener("toggle", () => {
    if (text.textContent === "") text.textContent = renderJson(payload);
  });
  return details;
}
