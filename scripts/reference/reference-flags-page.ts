// SPDX-License-Identifier: Apache-2.0
import { type ReferenceFlag, referenceFlags } from "../../apps/agent/src/cli/core/reference-flags.ts";
import { renderCode, renderTable } from "./markdown.ts";

const parts: readonly (readonly [ReferenceFlag["status"], string, string])[] = [
  ["same", "The same", "They mean here what they mean there, and have the same default."],
  ["other", "With a difference", "This agent has them."],
  [
    "absent",
    "Not there",
    "This agent accepts them. Each is one warning in its log, which says what is in the last column; one line without a warning where the value is Tetragon's default.",
  ],
];

export function renderReferenceFlagsPage(): string {
  return [
    "# Flags of Tetragon's agent",
    "What becomes of the flags of Tetragon 1.7's agent on the command line, in `--config-dir` and in `TETRAGON_` variables of this one. [All flags of this agent](tetragon.md).",
    ...parts.flatMap(([status, title, text]) => [
      `## ${title}`,
      text,
      renderFlags(referenceFlags.filter((one) => one.status === status)),
    ]),
  ].join("\n\n");
}

function renderFlags(flags: readonly ReferenceFlag[]): string {
  const hasMeaning = flags.some(({ here }) => here !== "");
  return renderTable(
    ["flag", "Tetragon's default", ...(hasMeaning ? ["here"] : [])],
    flags.map(({ name, isSwitch, default: byDefault, here }) => [
      renderCode(`--${name}`),
      renderCode(byDefault || (isSwitch ? "false" : "")),
      ...(hasMeaning ? [here] : []),
    ]),
  );
}
