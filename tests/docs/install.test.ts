// SPDX-License-Identifier: Apache-2.0
// The pages about installing on a node, run as they stand: see "How these pages are tested" in docs/install/README.md.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { containerdReleases } from "../harness/containerd-release.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";
import { prepareContainerdNode } from "./node/containerd-node.ts";
import { preparePodmanNode } from "./node/podman-node.ts";
import { findDifference } from "./pages/compare-output.ts";
import { findBlocks, type PageBlock } from "./pages/find-blocks.ts";
import { installationPages } from "./pages/pages-that-run.ts";
import { type BlocksRun, runBlocks, type Surroundings } from "./pages/run-blocks.ts";
import { readText } from "./text/documents.ts";

interface Row {
  readonly page: string;
  /** Page and headings whose blocks are run before, beside those of the agent's installation. */
  readonly after?: { readonly page: string; readonly headings: readonly string[] };
  readonly node: string;
  /** Heading of what is not for this node. */
  readonly leftOut?: string;
  /** Whether docs/uninstall.md is run after it. */
  readonly isRemoved?: boolean;
  readonly prepare: (workspace: Workspace) => Surroundings | Promise<Surroundings>;
}

const rows: readonly Row[] = [
  {
    page: "docs/install/podman.md",
    isRemoved: true,
    node: "podman",
    leftOut: "A pod to try it with",
    prepare: preparePodmanNode,
  },
  {
    page: "docs/troubleshooting.md",
    node: "podman",
    leftOut: "A pod to try it with",
    after: { page: "docs/install/podman.md", headings: ["Install the hook", "Verify"] },
    prepare: preparePodmanNode,
  },
  ...containerdReleases.flatMap((release): readonly Row[] => {
    const node = `containerd ${release.version}`;
    const is2 = release.configVersion === 3;
    const prepare = (workspace: Workspace) => prepareContainerdNode(workspace, release);
    const rows = [
      {
        page: "docs/install/containerd-nri.md",
        leftOut: `containerd ${is2 ? "1.7: turn NRI on" : "2: NRI is on"}`,
        isRemoved: true,
      },
      { page: "docs/install/containerd-base-spec.md", isRemoved: true },
      ...(is2 ? [] : [{ page: "docs/install/minikube.md" }]),
    ];
    return rows.map((row) => ({ ...row, node, prepare }));
  }),
];

test("these are the pages that docs count as run", () => {
  expect([...new Set(rows.map(({ page }) => page))]).toEqual([...installationPages]);
});

const blocksOf = (page: string): readonly PageBlock[] =>
  findBlocks(readText(page)).filter(({ notRun }) => notRun === undefined);

describe.each([...rows])("$page with $node", ({ page, after, isRemoved, prepare, leftOut }) => {
  const workspace = createWorkspace("page");
  afterAll(() => workspace.close(), 60_000);
  const before =
    after === undefined ? [] : blocksOf(after.page).filter(({ heading }) => after.headings.includes(heading));
  const last = isRemoved === true ? blocksOf("docs/uninstall.md") : [];
  const blocks = [...blocksOf("docs/install/README.md"), ...before, ...blocksOf(page), ...last].filter(
    ({ heading }) => heading !== leftOut,
  );
  let run: BlocksRun;
  beforeAll(async () => {
    run = await runBlocks(workspace, blocks, await prepare(workspace));
    // To see what a page is to show.
    if (process.env["SHOW"] !== undefined)
      for (const { commands, printed } of run.blocks) process.stdout.write(`$ ${commands}${printed}\n`);
  }, 180_000);

  test("every command succeeds", () => {
    expect(run.finished.exitCode === 0 ? "" : run.finished.stdout.slice(-3_000)).toBe("");
    expect(run.blocks).toHaveLength(blocks.length);
  });

  const shown = blocks
    .map((block, at) => ({ name: `${block.heading}, line ${block.line}`, at, output: block.output }))
    .filter(({ output }) => output !== undefined);

  test.each(shown)("$name prints what the page shows", ({ at, output = "" }) => {
    const printed = run.blocks[at]?.printed ?? "";
    expect({ printed, differs: findDifference(output, printed) }).toEqual({ printed, differs: undefined });
  });
});
