// SPDX-License-Identifier: Apache-2.0
// Places and sizes for the parts of a chart, computed by ELK's layered algorithm (eclipse.dev/elk).

import ELK, {
  type ElkExtendedEdge,
  type ElkLabel,
  type ElkNode,
  type LayoutOptions,
} from "elkjs/lib/elk.bundled.js";
import type { Chart, ChartState, ChartStep, ChartTransition } from "./chart.ts";
import { renderStep } from "./mermaid.ts";

/** In pixels; x and y from the upper left corner of the drawing. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Box {
  readonly state: ChartState;
  /** Lines below the name: entry and exit actions, and internal transitions. */
  readonly rows: readonly string[];
  readonly depth: number;
}

export interface PlacedTransition {
  readonly transitions: readonly ChartTransition[];
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: Box;
  /** One for each transition. */
  readonly lines: readonly string[];
}

export interface PlacedChart {
  readonly chart: Chart;
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  readonly transitions: readonly PlacedTransition[];
  /** Lines for what the machine does in any state. */
  readonly rows: readonly string[];
}

/** Of the monospaced fonts in the drawing: 0.6 em, rounded up. */
export const font = { name: 15, row: 11, characterOfName: 9.1, characterOfRow: 6.7, line: 16 } as const; // const: numbers
export const nameHeight = 34;
const padding = 14;

const options: LayoutOptions = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.edgeLabels.inline": "true",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.cycleBreaking.strategy": "DEPTH_FIRST",
  "elk.spacing.nodeNode": "36",
  "elk.spacing.edgeNode": "20",
  "elk.spacing.edgeEdge": "14",
  "elk.spacing.edgeLabel": "6",
  "elk.layered.spacing.nodeNodeBetweenLayers": "34",
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "14",
};

export async function layOut(chart: Chart): Promise<PlacedChart> {
  const states = chart.states.flatMap(listStates);
  const groups = groupTransitions(chart.transitions.filter(({ source }) => source !== ""));
  const root: ElkNode = {
    id: "chart",
    layoutOptions: {
      ...options,
      "elk.padding": `[top=${padding},left=${padding},bottom=${padding},right=${padding}]`,
    },
    children: chart.states.map(toNode),
    edges: groups.map(toEdge),
  };
  const laidOut = await new ELK().layout(root);
  const nodes = new Map(listNodes(laidOut).map((node) => [node.id, node]));
  return {
    chart,
    width: laidOut.width ?? 0,
    height: laidOut.height ?? 0,
    states: states.map((state) => ({
      ...toBox(nodes.get(state.id)),
      state,
      rows: toRows(state),
      depth: state.id.split(".").length - 1,
    })),
    transitions: groups.map((transitions, at) => toPlaced(transitions, laidOut.edges?.[at])),
    rows: toMachineRows(chart),
  };
}

const listStates = (state: ChartState): readonly ChartState[] => [
  state,
  ...state.children.flatMap(listStates),
];

const listNodes = (node: ElkNode): readonly ElkNode[] => [node, ...(node.children ?? []).flatMap(listNodes)];

/** Transitions between the same two states share one line. */
function groupTransitions(transitions: readonly ChartTransition[]): readonly (readonly ChartTransition[])[] {
  const groups = new Map<string, ChartTransition[]>();
  for (const transition of transitions) {
    const key = `${transition.source} ${transition.target}`;
    groups.set(key, [...(groups.get(key) ?? []), transition]);
  }
  return [...groups.values()];
}

function toNode(state: ChartState): ElkNode {
  const rows = toRows(state);
  const width = Math.max(90, measure(state.name, rows) + 2 * padding);
  const height = nameHeight + (rows.length === 0 ? 0 : rows.length * font.line + 8);
  if (state.children.length === 0) return { id: state.id, width, height };
  return {
    id: state.id,
    layoutOptions: {
      "elk.padding": `[top=${height + 14},left=18,bottom=18,right=18]`,
      "elk.nodeSize.constraints": "MINIMUM_SIZE",
      "elk.nodeSize.minimum": `(${width},${height})`,
    },
    children: state.children.map(toNode),
  };
}

function measure(name: string, rows: readonly string[]): number {
  const widths = rows.map((row) => row.length * font.characterOfRow);
  return Math.max(name.length * font.characterOfName, ...widths);
}

function toEdge(transitions: readonly ChartTransition[], at: number): ElkExtendedEdge {
  const [first] = transitions;
  const lines = transitions.map(renderStep);
  return {
    id: `edge${at}`,
    sources: [first?.source ?? ""],
    targets: [first?.target ?? ""],
    labels: [
      { text: lines.join("\n"), width: measure("", lines) + 12, height: lines.length * font.line + 4 },
    ],
  };
}

function toPlaced(
  transitions: readonly ChartTransition[],
  edge: ElkExtendedEdge | undefined,
): PlacedTransition {
  const section = edge?.sections?.[0];
  const label: ElkLabel | undefined = edge?.labels?.[0];
  return {
    transitions,
    points:
      section === undefined ? [] : [section.startPoint, ...(section.bendPoints ?? []), section.endPoint],
    label: toBox(label),
    lines: transitions.map(renderStep),
  };
}

const toBox = (shape: ElkNode | ElkLabel | undefined): Box => ({
  x: shape?.x ?? 0,
  y: shape?.y ?? 0,
  width: shape?.width ?? 0,
  height: shape?.height ?? 0,
});

function toRows({ entry, exit, internal }: ChartState): readonly string[] {
  return [
    ...entry.map((action) => `entry / ${action}`),
    ...exit.map((action) => `exit / ${action}`),
    ...internal.map(renderInternal),
  ];
}

const renderInternal = (step: ChartStep): string =>
  step.actions.length === 0
    ? `${renderStep(step)} ignored`
    : `${renderStep(step)} / ${step.actions.join(", ")}`;

function toMachineRows({ internal, transitions }: Chart): readonly string[] {
  const leaving = transitions.filter(({ source }) => source === "");
  return [...leaving.map((step) => `${renderStep(step)} → ${step.target}`), ...internal.map(renderInternal)];
}
