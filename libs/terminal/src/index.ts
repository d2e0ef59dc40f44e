// SPDX-License-Identifier: Apache-2.0
// What commands print: values as JSON or YAML for programs, tables and lines for people.

export { cutText } from "./core/cut-text.ts";
export {
  type OutputFormat,
  outputFlag,
  renderDocument,
  renderStreamed,
  toOutputFormat,
} from "./core/output.ts";
export { toPrintable } from "./core/printable.ts";
export type { Screen, Style } from "./core/screen.ts";
export {
  type Cell,
  type Column,
  createGrowingTable,
  type GrowingTable,
  renderTable,
} from "./core/text-table.ts";
