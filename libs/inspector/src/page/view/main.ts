// SPDX-License-Identifier: Apache-2.0
// The page: it puts the parts together, and draws at most once for each frame of the screen.

import { createStore, type PageActor } from "../core/store.ts";
import { openActorDetail } from "./actor-detail.ts";
import { openActorList } from "./actor-list.ts";
import { type ConnectionStatus, openConnection } from "./connection.ts";
import { findElement } from "./elements.ts";
import { openMachineChart } from "./machine-chart.ts";

const words: Readonly<Record<ConnectionStatus, string>> = {
  connecting: "Connecting",
  live: "Live",
  waiting: "No connection, trying again",
  paused: "Paused",
};

const store = createStore({ maxEnded: 1000, maxSteps: 200 });
const connection = findElement("connection", HTMLParagraphElement);
const missed = findElement("missed", HTMLParagraphElement);
const program = findElement("program", HTMLHeadingElement);
const pause = findElement("pause", HTMLButtonElement);

let selected: PageActor | undefined;
let isScheduled = false;

const select = (sessionId: string): void => {
  selected = store.actor(sessionId);
  render();
};

const list = openActorList(store, select);
const chart = openMachineChart(store);
const detail = openActorDetail(store, select);

/** As it is now. Another process may have given its session id to another actor. */
const findSelected = (): PageActor | undefined => {
  const actor = selected === undefined ? undefined : store.actor(selected.sessionId);
  return actor?.name === selected?.name ? actor : undefined;
};

const render = (): void => {
  isScheduled = false;
  program.textContent = store.program() || "State machines";
  document.title = store.program() === "" ? "State machines" : `${store.program()}: state machines`;
  missed.hidden = store.missed() === 0;
  missed.textContent = `${store.missed().toLocaleString()} events missed`;
  const actor = findSelected();
  list.render(actor?.sessionId);
  detail.show(actor);
  chart.render(actor);
  chart.flash(store.takeTransitions());
};

const schedule = (): void => {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(render);
};

const live = openConnection({
  onMessage(message) {
    store.apply(message);
    schedule();
  },
  onStatus(status) {
    connection.dataset["status"] = status;
    connection.textContent = words[status];
    pause.textContent = status === "paused" ? "Resume" : "Pause";
  },
});

pause.addEventListener("click", () => {
  if (connection.dataset["status"] === "paused") live.resume();
  else live.pause();
});

// The token is in a cookie now: it need not stay in the address, the history, and screenshots.
if (location.search !== "") history.replaceState(undefined, "", location.pathname);
