// SPDX-License-Identifier: Apache-2.0
import { kernelColumns, renderFeatureTable } from "../../tests/kernels/feature-table.ts";
import { renderBlock, renderCode, renderTable } from "./markdown.ts";

const file = "tests/kernels/hooks.test.ts";

export function renderKernelsPage(): string {
  return [
    "# What rules do on which kernel",
    "What happens to the call of a process in a container, when a rule of a policy matches it, and which events of processes there are. The kernels are those of Debian's cloud images.",
    renderFeatureTable(),
    [
      "- **prevented**: the call fails, and the process goes on.",
      "- **killed at once**: the file is executed, and the process is killed before the new program has begun.",
      "- **signalled**: the process gets the signal; the call may complete.",
      "- **not here**: the kernel does not take the program. A policy that needs it has the state `load_error`, with the reason.",
      "- **reported**: the agent gets a record of it.",
    ].join("\n"),
    "## Tests",
    `Each cell is a test of [${file}](../../${file}) that boots the kernel: it has the name of the row, in the group of the column. A process in a container makes the call, and so does one beside it, to which nothing may happen.`,
    renderTable(
      ["column", "group"],
      kernelColumns.map(({ title, kernel, lsm }) => [
        title,
        `${renderCode(`Linux VERSION with lsm=${lsm}`)}, ${kernel}`,
      ]),
    ),
    renderBlock("sh", [`make kernels-test && bun test ${file} -t "execution of a path"`]),
  ].join("\n\n");
}
