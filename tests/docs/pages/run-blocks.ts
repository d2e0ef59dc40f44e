// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Finished, minimalEnv, runProcess } from "../../harness/process.ts";
import { findAgent, findTool } from "../../harness/programs.ts";
import type { Workspace } from "../../harness/workspace.ts";
import type { PageBlock } from "./find-blocks.ts";

export interface Surroundings {
  /** Directories of the host that become empty ones of the run's own. */
  readonly ownDirectories: readonly string[];
  /** Shell lines before the first block; their working directory is the workspace's. */
  readonly setUp?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files and directories of the repository that the blocks use, beside dist/. */
  readonly files?: readonly string[];
  readonly killAfterS: number;
}

interface RanBlock extends PageBlock {
  /** What its commands wrote, both streams. */
  readonly printed: string;
}

export interface BlocksRun {
  /** Those that ended; the last one may have failed. */
  readonly blocks: readonly RanBlock[];
  readonly finished: Finished;
}

const END = "# end of block";

/**
 * Runs blocks of a page in one shell, in mount and process namespaces of its own: what they start ends with it. "make build" is
 * left out: the programs of dist/ are there. A command that fails ends the run.
 */
export async function runBlocks(
  workspace: Workspace,
  blocks: readonly PageBlock[],
  surroundings: Surroundings,
): Promise<BlocksRun> {
  const { ownDirectories, setUp = [], env = {}, files = [], killAfterS } = surroundings;
  for (const at of ownDirectories.keys()) mkdirSync(workspace.path(`place-${at}`));
  const places = ownDirectories.map(
    (path, at) => `mkdir -p ${path} && mount --bind ${workspace.path(`place-${at}`)} ${path}`,
  );
  const dist = workspace.path("dist");
  cpSync(dirname(findAgent()), dist, {
    recursive: true,
    filter: (path) => !/\/dist\/(arm64|x64)/.test(path),
  });
  for (const file of files) cpSync(file, workspace.path(file), { recursive: true });
  const lines = [
    "exec 2>&1",
    "set -e",
    // What services wrote helps to understand a failure.
    "trap 'code=$?; [ $code = 0 ] || tail -n 20 /var/log/*.log; exit $code' EXIT",
    // Pages write to several places of /etc, and programs read others.
    `mkdir ${workspace.path("etc")} ${workspace.path("etc-work")}`,
    `mount -t overlay -o lowerdir=/etc,upperdir=${workspace.path("etc")},workdir=${workspace.path("etc-work")} none /etc`,
    ...places,
    "mount -t bpf bpf /sys/fs/bpf",
    `cd ${workspace.dir}`,
    ...setUp,
    `echo "${END} setUp"`,
    ...blocks.flatMap(({ commands }) => [commands.replace(/^make build\n/m, ""), `echo "${END}"`]),
  ];
  const script = workspace.path("blocks.sh");
  writeFileSync(script, lines.join("\n"));
  // The shell is the first process of its namespace, and so reaps what others leave.
  const inNamespaces = [findTool("unshare"), "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const finished = await runProcess(
    [findTool("timeout"), "--foreground", String(killAfterS), ...inNamespaces, "/bin/bash", script],
    { env: { ...minimalEnv, HOME: workspace.dir, ...env }, cwd: workspace.dir },
  );
  const [, rest = ""] = finished.stdout.split(`${END} setUp\n`);
  const printed = rest.split(`${END}\n`);
  return {
    finished,
    blocks: blocks.flatMap((block, at) => {
      const text = printed[at];
      return text === undefined || (at === printed.length - 1 && text === "")
        ? []
        : [{ ...block, printed: text }];
    }),
  };
}
