// SPDX-License-Identifier: Apache-2.0

/** A block of shell commands of a page. */
export interface PageBlock {
  /** Text of the heading above it; "" before the first. */
  readonly heading: string;
  /** From 1: where its fence begins. */
  readonly line: number;
  readonly commands: string;
  /** What the page says that it prints: the block of kind `text` that follows it with nothing but prose of one line between. */
  readonly output?: string;
  /** Why no test runs it: from the comment `<!-- not run: … -->` above it. */
  readonly notRun?: string;
}

const fence = /^( *)```(\w*)\s*$/;

/** All blocks of kind `sh`, in their order. */
export function findBlocks(text: string): readonly PageBlock[] {
  const lines = text.split("\n");
  const blocks: PageBlock[] = [];
  let heading = "";
  let notRun: string | undefined;
  /** Lines of prose since the last block of commands. */
  let proseLines = Number.POSITIVE_INFINITY;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const [, indent = "", kind] = fence.exec(line) ?? [];
    if (kind === undefined) {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      if (/^#+ /.test(line)) proseLines = Number.POSITIVE_INFINITY;
      notRun = /^ *<!-- not run: (.+) -->$/.exec(line)?.[1] ?? (line.trim() === "" ? notRun : undefined);
      if (line.trim() !== "") proseLines++;
      continue;
    }
    const start = at;
    const content: string[] = [];
    for (at++; at < lines.length && lines[at] !== `${indent}\`\`\``; at++)
      content.push((lines[at] ?? "").slice(indent.length));
    const body = content.map((one) => `${one}\n`).join("");
    if (kind === "sh") {
      blocks.push({ heading, line: start + 1, commands: body, ...(notRun === undefined ? {} : { notRun }) });
      proseLines = 0;
    } else {
      const last = blocks.at(-1);
      if ((kind === "text" || kind === "diff") && proseLines <= 1 && last !== undefined)
        blocks[blocks.length - 1] = { ...last, output: body };
      proseLines = Number.POSITIVE_INFINITY;
    }
    notRun = undefined;
  }
  return blocks;
}
