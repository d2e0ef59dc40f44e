// SPDX-License-Identifier: Apache-2.0
// State machines as documents: JSON, Mermaid, and a drawing.

export { type Chart, type ChartState, type ChartStep, type ChartTransition, readChart } from "./chart.ts";
export { type Box, layOut } from "./layout.ts";
export { type Machine, renderMachineJson } from "./machine-json.ts";
export { renderMermaid } from "./mermaid.ts";
export { renderSvg } from "./svg.ts";
