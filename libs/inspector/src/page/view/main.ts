// SPDX-License-Identifier: Apache-2.0
// The page: it puts the parts together, and draws at most once for each frame of the screen.

import { findContainerId } from "@rthooks/explain";
import type { ActorsView, PageActor } from "../core/page-actor.ts";
import { createPastView } from "../core/past-view.ts";
import { listMoves, type Moment } from "../core/step-log.ts";
import { createStore } from "../core/store.ts";
import { openActorDetail } from "./actor-detail.ts";
import { openActorList } from "./actor-list.ts";
import { type ConnectionStatus, openConnection } from "./connection.ts";
import { openDetailTabs } from "./detail-tabs.ts";
import { findElement } from "./elements.ts";
import { openExplanation } from "./explanation.ts";
import { loadHistory } from "./load-history.ts";
import { openMachineChart } from "./machine-chart.ts";
import { openMachineDescriptions } from "./machine-descriptions.ts";
import { openNodeOverview } from "./node-overview.ts";
import { openTimeBar } from "./time-bar.ts";

const words: Readonly<Record<ConnectionStatus, string>> = {
  connecting: "Connecting",
  live: "Connected",
  waiting: "No connection, trying again",
};

/** As much as a program keeps (open-inspector.ts). */
const store = createStore({ maxEnded: 1000, maxSteps: 20_000, maxLength: 16 * 1024 * 1024 });
const connection = findElement("connection", HTMLParagraphElement);
const missed = findElement("missed", HTMLParagraphElement);
const program = findElement("program", HTMLHeadingElement);

let selected: PageActor | undefined;
let isScheduled = false;
let shownMoment: Moment | undefined;

const select = (sessionId: string): void => {
  selected = store.actor(sessionId);
  render();
};

const render = (): void => {
  isScheduled = false;
  program.textContent = store.program() || "State machines";
  document.title = store.program() === "" ? "State machines" : `${store.program()}: state machines`;
  missed.hidden = store.missed() === 0;
  missed.textContent = `${store.missed().toLocaleString()} events missed`;
  time.render();
  const moment = time.moment();
  const view = moment === undefined ? store : createPastView(store, moment);
  const actor = findSelected(view);
  const machines = store.machines();
  list.render(view, machines, actor?.sessionId);
  const current = findSelected(store);
  if (current !== undefined) detail.show(current.sessionId, actor, moment);
  explanation.show(current);
  tabs.setPast(moment !== undefined);
  node.setPast(moment !== undefined);
  chart.render(view, machines, actor);
  flash(moment);
};

/** As it is in this view. Another process may have given its session id to another actor. */
const findSelected = (view: ActorsView): PageActor | undefined => {
  const actor = selected === undefined ? undefined : view.actor(selected.sessionId);
  return actor?.name === selected?.name ? actor : undefined;
};

/** Marks the transitions since the last call. */
const flash = (moment: Moment | undefined): void => {
  const moves = store.takeMoves();
  if (moment === undefined) chart.flash(moves);
  else if (shownMoment !== undefined) chart.flash(listMoves(store.log, shownMoment, moment));
  shownMoment = moment;
};

const schedule = (): void => {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(render);
};

const time = openTimeBar(store.log, {
  onChange: schedule,
  onSelect: select,
  nameOf: (sessionId) => store.actor(sessionId)?.facts.title ?? "",
});
const list = openActorList(select);
const chart = openMachineChart();
const detail = openActorDetail(store, openMachineDescriptions(schedule), {
  onSelect: select,
  onGoTo: time.goTo,
});

const tabs = openDetailTabs();
const explanation = openExplanation(tabs);
const node = openNodeOverview((containerId) => {
  if (tabs.shown() === "timeline") tabs.show("explain");
  const actors = [...store.actors()].filter(({ context }) => findContainerId(context) === containerId);
  const actor = actors.findLast(({ machine }) => machine === "container") ?? actors.at(-1);
  if (actor !== undefined) return select(actor.sessionId);
  selected = undefined;
  detail.clear();
  render();
  explanation.showContainer(containerId);
});

let loading = new AbortController();
let boot = "";

openConnection({
  onMessage(message) {
    store.apply(message);
    if (message.kind === "hello") {
      // Moments of another process are not recorded here.
      if (message.boot !== boot) time.goLive();
      boot = message.boot;
      node.begin(message.explains);
      tabs.setPresent(message.explains);
    }
    schedule();
  },
  onWelcome(position) {
    loading.abort();
    loading = new AbortController();
    const add = (messages: Parameters<typeof store.prepend>[0]): boolean => {
      schedule();
      return store.prepend(messages);
    };
    // A connection that breaks is made again, and loads again.
    loadHistory(position, add, loading.signal).catch(() => {});
  },
  onStatus(status) {
    connection.dataset["status"] = status;
    connection.textContent = words[status];
  },
});

// The token is in a cookie now: it need not stay in the address, the history, and screenshots.
if (location.search !== "") history.replaceState(undefined, "", location.pathname);
