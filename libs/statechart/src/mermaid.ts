// SPDX-License-Identifier: Apache-2.0
// A chart in Mermaid's language (stateDiagram-v2), which GitHub and many editors draw.

import type { Chart, ChartState, ChartStep } from "./chart.ts";

export function renderMermaid({ states, transitions }: Chart): string {
  const lines = [
    ...states.flatMap((state) => renderState(state, "")),
    ...transitions
      .filter(({ source }) => source !== "")
      .map((step) => `${toName(step.source)} --> ${toName(step.target)} : ${renderStep(step)}`),
    ...listAnyState(transitions),
  ];
  return ["stateDiagram-v2", ...lines.map((line) => `  ${line}`), ""].join("\n");
}

/** Mermaid has no transition from any state: a choice stands for it. */
function listAnyState(transitions: Chart["transitions"]): readonly string[] {
  const ofMachine = transitions.filter(({ source }) => source === "");
  if (ofMachine.length === 0) return [];
  return [
    'state "any state" as anyState',
    ...ofMachine.map((step) => `anyState --> ${toName(step.target)} : ${renderStep(step)}`),
  ];
}

function renderState(state: ChartState, indent: string): readonly string[] {
  const name = toName(state.id);
  const start = state.isInitial ? [`${indent}[*] --> ${name}`] : [];
  const own = `${indent}state "${state.name}" as ${name}`;
  if (state.kind === "final") return [...start, own, `${indent}${name} --> [*]`];
  if (state.children.length === 0) return [...start, own];
  const inner = state.children.flatMap((child) => renderState(child, `${indent}  `));
  return [...start, `${own} {`, ...inner, `${indent}}`];
}

const toName = (id: string): string => id.replaceAll(".", "_");

/** A colon would end the label. */
export const renderStep = ({ event, guard }: ChartStep): string =>
  guard === "" ? event : `${event} [${guard}]`;
