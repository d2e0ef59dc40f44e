// SPDX-License-Identifier: Apache-2.0

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

const padded = (cells: readonly string[], widths: readonly number[]) =>
  cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)));

/** For a terminal, or as Markdown; numbers stand right. */
export function renderTable(table: Table, markdown: boolean): string {
  const all = [table.columns, ...table.rows];
  const widths = table.columns.map((_, n) => Math.max(...all.map((row) => row[n]?.length ?? 0), 3));
  const rule = widths.map((width, n) => (n === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const [head = [], ...rows] = all.map((row) => padded(row, widths));
  if (!markdown) {
    const lines = [head, widths.map((width) => "-".repeat(width)), ...rows].map((row) => row.join("  "));
    return [table.title, "", ...lines, "", ...table.notes, ""].join("\n");
  }
  const lines = [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`);
  return [`## ${table.title}`, "", ...lines, "", ...table.notes.flatMap((note) => [note, ""])].join("\n");
}
