// SPDX-License-Identifier: Apache-2.0
// The overview of the node in six numbers, each with a few words.

import type { NodeOverview, StateCount } from "@rthooks/explain";
import type { StateTone } from "./state-ids.ts";
import { renderDuration, renderTime } from "./time-format.ts";

export type TileId = "held" | "denied" | "sources" | "policies" | "containers" | "problems";

export interface Tile {
  readonly id: TileId;
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly tone: StateTone;
}

export function toTiles(overview: NodeOverview): readonly Tile[] {
  const { atMs, held, heldCount, denied, deniedCount, sources, policies, containers, problems } = overview;
  const [longest] = held;
  const [newest] = denied;
  const stale = sources.filter(({ state }) => state === "stale");
  const used = sources.filter(({ state }) => state !== "off");
  const broken = sum(policies.filter(({ state }) => state === "load_error"));
  return [
    {
      ...{ id: "held", label: "Held now", value: renderCount(heldCount) },
      note: longest === undefined ? "no start waits" : `longest ${renderDuration(atMs - longest.sinceMs)}`,
      tone: heldCount === 0 ? "over" : "busy",
    },
    {
      ...{ id: "denied", label: "Denied, last hour", value: renderCount(deniedCount) },
      note: newest === undefined ? "no start was denied" : `last at ${renderTime(newest.atMs).slice(0, 8)}`,
      tone: deniedCount === 0 ? "good" : "bad",
    },
    {
      ...{ id: "sources", label: "Sources" },
      value: stale.length > 0 ? `${stale.length} stale` : used.length === 0 ? "off" : "current",
      note: (stale.length > 0 ? stale : used).map(({ name }) => name).join(", ") || "hook calls only",
      tone: stale.length > 0 ? "bad" : used.length === 0 ? "over" : "good",
    },
    {
      ...{ id: "policies", label: "Policies" },
      value: broken > 0 ? `${renderCount(broken)} not loaded` : renderCount(sum(policies)),
      note: renderStates(policies) || "no policy is loaded",
      tone: broken > 0 ? "bad" : policies.length === 0 ? "over" : "good",
    },
    {
      ...{ id: "containers", label: "Containers", value: renderCount(sum(containers)) },
      note: renderStates(sumStates(containers)) || "none on record",
      tone: containers.length === 0 ? "over" : "good",
    },
    {
      ...{ id: "problems", label: "Problems", value: renderCount(problems.length) },
      note: problems[0] ?? "none",
      tone: problems.length > 0 ? "bad" : "good",
    },
  ];
}

/** Containers are counted by source too. */
export function sumStates(counts: readonly StateCount[]): readonly StateCount[] {
  const sums = new Map<string, number>();
  for (const { state, count } of counts) sums.set(state, (sums.get(state) ?? 0) + count);
  return [...sums]
    .map(([state, count]) => ({ state, count }))
    .toSorted((one, other) => other.count - one.count);
}

const sum = (counts: readonly StateCount[]): number => counts.reduce((total, { count }) => total + count, 0);

const renderCount = (count: number): string => count.toLocaleString("en");

const renderStates = (counts: readonly StateCount[]): string =>
  counts.map(({ state, count }) => `${renderCount(count)} ${state}`).join(", ");
