// SPDX-License-Identifier: Apache-2.0
// The tutorial of docs/enforcement.md, run as it stands: with a mount namespace of its own in place of a machine of its own.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeCgroup } from "../harness/cgroup.ts";
import { type Finished, minimalEnv, runProcess } from "../harness/process.ts";
import { findAgent, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("tutor");
afterAll(() => workspace.close(), 60_000);

const text = readFileSync(join(import.meta.dir, "..", "..", "docs", "enforcement.md"), "utf8");
const tutorial = text.slice(text.indexOf("\n## Tutorial"));
const blocks = [...tutorial.slice(0, tutorial.indexOf("\n## ", 4)).matchAll(/^```sh\n(.*?)^```/gms)].map(
  ([, block = ""]) => block,
);

/** Directories that the tutorial changes, each an empty one of the test's own. */
const replaced = [
  ...["/usr/local/bin", "/opt", "/etc/tetragon", "/var/log", "/var/run", "/var/lib/containers", "/mnt"],
  ...["/usr/share/containers/oci/hooks.d"],
];
/** What podman needs on the machines of the tests: they have no network of containers and no CAP_SYS_RESOURCE. */
const podmanConfig = `
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "none"
hooks_dir = ["/usr/share/containers/oci/hooks.d"]
`;
const storageConfig =
  '[storage]\ndriver = "vfs"\nrunroot = "/var/run/storage"\ngraphroot = "/var/lib/containers"\n';
const END = "# end of block";

let done: Finished;
beforeAll(async () => {
  expect(blocks.length).toBeGreaterThan(6);
  // Podman's own, where no other is asked for.
  workspace.onClose(() => removeCgroup("/libpod_parent"));
  for (const tool of ["podman", "runc", "unshare"]) findTool(tool);
  const setUp = replaced.map((path, at) => {
    mkdirSync(workspace.path(`place-${at}`));
    return `mkdir -p ${path} && mount --bind ${workspace.path(`place-${at}`)} ${path}`;
  });
  const dist = workspace.path("dist");
  cpSync(dirname(findAgent()), dist, {
    recursive: true,
    filter: (path) => !/\/dist\/(arm64|x64)/.test(path),
  });
  writeFileSync(workspace.path("containers.conf"), podmanConfig);
  writeFileSync(workspace.path("storage.conf"), storageConfig);
  const lines = [
    "set -e",
    // The agent that runs in the background ends with the script.
    "trap 'jobs -p | xargs -r kill' EXIT",
    "trap 'exit 1' TERM",
    ...setUp,
    "mount -t bpf bpf /sys/fs/bpf",
    `cd ${workspace.dir}`,
    ...blocks.flatMap((block, at) => [block.replace(/^make build\n/m, ""), `echo "${END} ${at}"`]),
  ];
  writeFileSync(workspace.path("tutorial.sh"), lines.join("\n"));
  const inTime = [findTool("timeout"), "--foreground", "150", "/bin/bash", workspace.path("tutorial.sh")];
  done = await runProcess([findTool("unshare"), "--mount", ...inTime], {
    env: {
      ...minimalEnv,
      ...{ HOME: workspace.dir, CONTAINERS_CONF: workspace.path("containers.conf") },
      CONTAINERS_STORAGE_CONF: workspace.path("storage.conf"),
    },
  });
}, 180_000);

/** What the commands of a block have written. */
const outputOf = (part: string): string => {
  const at = blocks.findIndex((block) => block.includes(part));
  const before = done.stdout.split(`${END} ${at}\n`)[0] ?? "";
  return before.split(/^# end of block \d+\n/m).at(-1) ?? "";
};

test("every command succeeds", () => {
  expect({ exitCode: done.exitCode, stderr: done.exitCode === 0 ? "" : done.stderr }).toEqual({
    exitCode: 0,
    stderr: "",
  });
});

test("without the policy both programs run", () => {
  const output = outputOf("in_shop()");
  expect(output).toContain("Linux\n");
  expect(output).toContain("0::/");
});

test("with it the one is denied, and the other runs", () => {
  const output = outputOf('echo "denied');
  expect(output).not.toContain("Linux\n");
  expect(output).toContain("denied: exit code 137");
  expect(output).toContain("0::/");
});
