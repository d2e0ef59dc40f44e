// SPDX-License-Identifier: Apache-2.0

interface Entry {
  readonly short: string | undefined;
  readonly name: string;
  readonly words: string[];
}

const entryPattern = /^ {2}(?:(-\w), | {4}|)(--\S+(?: \S+)?)(?: {2,}(.*))?$/;

/** The flags of a `--help` as a Markdown table. */
export function renderFlagTable(help: string): string {
  const section = help.split("\nFlags:\n")[1]?.split("\n\n")[0] ?? "";
  const entries: Entry[] = [];
  for (const line of section.split("\n")) {
    const [, short, name, text = ""] = entryPattern.exec(line) ?? [];
    if (name !== undefined) entries.push({ short, name, words: [text] });
    else entries.at(-1)?.words.push(line.trim());
  }
  return ["| flag | default | meaning |", "| --- | --- | --- |", ...entries.map(renderRow)].join("\n");
}

function renderRow({ short, name, words }: Entry): string {
  const text = words.join(" ").trim();
  const [, meaning = text, value] = /^(.*) \(default: ([^()]*)\)$/.exec(text) ?? [];
  const names = short === undefined ? `\`${name}\`` : `\`${name}\`, \`${short}\``;
  return `| ${names} |${value === undefined ? "" : ` \`${value}\``} | ${meaning.replaceAll("|", "\\|")} |`;
}
