// SPDX-License-Identifier: Apache-2.0
// The details of one tile of the overview.

import {
  type DeniedStart,
  describeCounts,
  type NodeOverview,
  type SourceState,
  type WaitingStart,
} from "@rthooks/explain";
import { sumStates, type TileId } from "../core/overview-tiles.ts";
import { renderDuration, renderTime } from "../core/time-format.ts";
import { showInvisible } from "../core/visible-text.ts";
import { nameSource } from "../core/words.ts";
import { createElement, renderState } from "./elements.ts";
import { renderFailure } from "./failure.ts";
import { renderTable } from "./table.ts";

export type OnContainer = (containerId: string) => void;

export function renderTileDetail(
  id: TileId,
  overview: NodeOverview,
  onContainer: OnContainer,
): readonly HTMLElement[] {
  const { atMs, held, heldCount, denied, deniedCount, sources, problems } = overview;
  switch (id) {
    case "held":
      return [
        ...renderList(
          held.map((start) => renderHeld(start, atMs, onContainer)),
          "No container waits for its start.",
        ),
        ...renderMore(heldCount - held.length, "waiting"),
      ];
    case "denied":
      return [
        ...renderList(
          denied.map((start) => renderDenied(start, onContainer)),
          "No start was denied in the last hour.",
        ),
        ...renderMore(deniedCount - denied.length, "denied"),
      ];
    case "sources":
      return renderList(sources.map(renderSource), "The agent has hook calls only.");
    case "policies":
      return renderPolicies(overview);
    case "containers":
      return renderContainers(overview);
    case "problems":
      return renderList(
        problems.map((problem) => createElement("li", { dir: "auto" }, [showInvisible(problem)])),
        "The agent does all that its configuration asks for.",
      );
  }
}

function renderPolicies({ policies, enforced, enforcedCount }: NodeOverview): readonly HTMLElement[] {
  if (policies.length === 0) return [renderEmpty("No policy is loaded.")];
  const states = policies.map(({ state, count }) => [renderState(state), `${count}`]);
  const acting = enforced.map(({ name, namespace, mode, mechanism, counts }) => [
    showInvisible(namespace === "" ? name : `${namespace}/${name}`),
    showInvisible(mode),
    showInvisible(mechanism),
    describeCounts(counts),
  ]);
  return [
    renderTable(["State", "Policies"], states),
    ...(acting.length === 0
      ? [renderEmpty("No policy has rules in the kernel.")]
      : [renderTable(["Policy in the kernel", "Mode", "Mechanism", "So far, on this node"], acting)]),
    ...renderMore(enforcedCount - enforced.length, "policies"),
  ];
}

function renderContainers({ containers, interfaces }: NodeOverview): readonly HTMLElement[] {
  if (containers.length === 0) return [renderEmpty("No container is on record.")];
  const sources = [...new Set(containers.map(({ source }) => source))];
  const countOf = (state: string, source: string): string => {
    const found = containers.find((one) => one.state === state && one.source === source);
    return found === undefined ? "" : found.count.toLocaleString("en");
  };
  const rows = sumStates(containers).map(({ state, count }) => [
    renderState(state),
    ...sources.map((source) => countOf(state, source)),
    count.toLocaleString("en"),
  ]);
  const ways = interfaces.map(({ name, runtime, containers: count, lastReportMs }) => [
    showInvisible(name),
    showInvisible(runtime) || "not known",
    count.toLocaleString("en"),
    lastReportMs === undefined ? "" : renderTime(lastReportMs),
  ]);
  return [
    renderTable(["State", ...sources.map(nameSource), "All"], rows),
    ...(ways.length === 0 ? [] : [renderTable(["Interface", "Runtime", "Containers", "Last report"], ways)]),
  ];
}

function renderHeld(start: WaitingStart, atMs: number, onContainer: OnContainer): HTMLElement {
  return createElement("li", {}, [
    renderContainer(start, onContainer),
    createElement("span", { class: "aside" }, [
      `for ${renderDuration(atMs - start.sinceMs)}, `,
      start.state === "" ? "until its pod is known" : renderState(start.state),
    ]),
  ]);
}

const deniers: Readonly<Record<DeniedStart["by"], string>> = {
  hook: "denied by the OCI hook",
  nri: "denied by the NRI plugin",
  agent: "refused by the agent",
};

function renderDenied(start: DeniedStart, onContainer: OnContainer): HTMLElement {
  const { atMs, by, failure } = start;
  return createElement("li", {}, [
    renderContainer(start, onContainer),
    createElement("span", { class: "aside" }, [`${deniers[by]} at `, renderTime(atMs)]),
    renderFailure(failure),
  ]);
}

function renderSource({ name, state, problem, sinceMs }: SourceState): HTMLElement {
  const tone = { current: "good", stale: "bad", off: "over" }[state];
  return createElement("li", {}, [
    createElement("span", { class: "source-name" }, [showInvisible(name)]),
    createElement("span", { class: "state-name", "data-tone": tone }, [state]),
    ...(sinceMs === undefined
      ? []
      : [createElement("span", { class: "aside" }, [`since ${renderTime(sinceMs)}`])]),
    ...(problem === "" ? [] : [createElement("p", { dir: "auto" }, [showInvisible(problem)])]),
  ]);
}

type Named = Pick<WaitingStart, "containerId" | "namespace" | "pod" | "container">;

function renderContainer(
  { containerId, namespace, pod, container }: Named,
  onContainer: OnContainer,
): HTMLElement {
  const names = [namespace, pod, container].filter((name) => name !== "").join("/");
  const button = createElement(
    "button",
    { type: "button", class: "link", dir: "auto", "data-container": containerId },
    [showInvisible(names || containerId)],
  );
  button.addEventListener("click", () => onContainer(containerId));
  return button;
}

const renderEmpty = (text: string): HTMLElement => createElement("p", { class: "nothing" }, [text]);

const renderList = (items: readonly HTMLElement[], empty: string): readonly HTMLElement[] =>
  items.length === 0 ? [renderEmpty(empty)] : [createElement("ul", { class: "facts-list" }, items)];

const renderMore = (count: number, what: string): readonly HTMLElement[] =>
  count <= 0 ? [] : [renderEmpty(`And ${count.toLocaleString("en")} more ${what}.`)];
