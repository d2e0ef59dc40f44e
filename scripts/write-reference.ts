// SPDX-License-Identifier: Apache-2.0
// Writes docs/reference from the programs' own tables of flags, commands, exit codes and metrics, and from what the tests
// on stock kernels expect. With --check it writes nothing, and fails where a page is not what it would write.
import { helpTopics } from "../apps/agent/src/cli/edge/help.ts";
import { hookHelp } from "../apps/hook/src/core/hook-help.ts";
import { pluginHelp } from "../apps/nri-plugin/src/core/plugin-help.ts";
import { operatorHelp } from "../apps/operator/src/core/operator-flags.ts";
import { describeCommand, describeProgram } from "../apps/setup/src/core/commands-help.ts";
import { commands } from "../apps/setup/src/edge/commands.ts";
import { renderChartValuesPage } from "./chart/values-page.ts";
import { renderKernelsPage } from "./reference/kernels-page.ts";
import { renderMetricsPage } from "./reference/metrics-page.ts";
import { renderProgramPage } from "./reference/program-page.ts";
import { renderReferenceFlagsPage } from "./reference/reference-flags-page.ts";
import { writePages } from "./write-pages.ts";

const note = "<!-- `make generate` writes this page from the code. -->";

const { "": agentHelp, ...agentCommands } = helpTopics;

const pages = new Map([
  ["tetragon.md", renderProgramPage(agentHelp, Object.values(agentCommands))],
  ["tetragon-oci-hook.md", renderProgramPage(hookHelp, [])],
  ["tetragon-nri-hook.md", renderProgramPage(pluginHelp, [])],
  ["tetragon-oci-hook-setup.md", renderProgramPage(describeProgram(commands), commands.map(describeCommand))],
  ["tetragon-flags.md", renderReferenceFlagsPage()],
  ["tetragon-operator.md", renderProgramPage(operatorHelp, [])],
  ["chart-values.md", await renderChartValuesPage()],
  ["metrics.md", renderMetricsPage()],
  ["enforcement-kernels.md", renderKernelsPage()],
]);

const texts = new Map([...pages].map(([name, page]) => [name, `${note}\n\n${page}\n`]));
await writePages("docs/reference", texts, "make generate");
