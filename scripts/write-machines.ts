// SPDX-License-Identifier: Apache-2.0
// Writes docs/machines: each state machine as JSON, as a Mermaid diagram and as an SVG drawing, and one page that shows
// them. With --check it writes nothing, and fails where a file is not what it would write.
import {
  type ChartState,
  layOut,
  readChart,
  renderMachineJson,
  renderMermaid,
  renderSvg,
} from "../libs/statechart/src/index.ts";
import { machines } from "./machines.ts";
import { writePages } from "./write-pages.ts";

const listStates = (state: ChartState): readonly ChartState[] => [
  state,
  ...state.children.flatMap(listStates),
];

const files = new Map<string, string>();
const sections: string[] = [];
for (const { title, summary, machine } of machines) {
  const chart = readChart(machine);
  const { id } = chart;
  files.set(`${id}.json`, renderMachineJson(machine));
  files.set(`${id}.mmd`, renderMermaid(chart));
  files.set(`${id}.svg`, renderSvg(await layOut(chart)));
  const states = chart.states.flatMap(listStates);
  sections.push(
    `## ${title}\n\n${summary}\n\n![State machine ${id}](${id}.svg)\n`,
    ...states.map((state) => `- **\`${state.id}\`**: ${state.description}`),
    `\nFiles: [\`${id}.json\`](${id}.json), [\`${id}.mmd\`](${id}.mmd), [\`${id}.svg\`](${id}.svg).\n`,
  );
}

const head = `<!-- \`make machines\` writes this page from the code. -->

# State machines

The machines of hook, agent, NRI plugin and operator, drawn from the code in \`libs/machines\`. A dot marks the initial state, a thick
border a final one; "in any state" lists what a machine does whatever its state. The JSON files are configurations of
XState 5: \`createMachine\` accepts them, and Stately's editor opens them.
`;
files.set("README.md", `${head}\n${sections.join("\n")}`);
await writePages("docs/machines", files, "make machines");
// ELK leaves a message handler behind, which keeps the process alive.
process.exit();
