// SPDX-License-Identifier: Apache-2.0

/** A table whose cells are Markdown already. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

export const renderCode = (text: string): string => (text === "" ? "" : `\`${text}\``);

export const renderBlock = (language: string, lines: readonly string[]): string =>
  [`\`\`\`${language}`, ...lines, "```"].join("\n");
