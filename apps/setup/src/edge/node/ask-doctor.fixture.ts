// SPDX-License-Identifier: Apache-2.0
// Runs `doctor` on a node's root directory, for tests.

import { expect } from "bun:test";
import { parseArguments } from "@rthooks/flags";
import { findCommand } from "../../core/find-command.ts";
import type { Finding } from "../../core/findings.ts";
import { commands } from "../commands.ts";
import { doctorCommand } from "./node-commands.ts";
import { type NodeRoot, runCommand } from "./node-root.fixture.ts";

export async function diagnose(node: NodeRoot): Promise<{ code: number; findings: readonly Finding[] }> {
  const { code, stdout } = await runCommand(doctorCommand, ["--root", node.root, "-o", "json"]);
  const { findings } = JSON.parse(stdout);
  return { code, findings };
}

/** The fixes of failed checks by check; the root directory is replaced by /host. */
export async function findWork(node: NodeRoot): Promise<Readonly<Record<string, readonly string[]>>> {
  const { code, findings } = await diagnose(node);
  expect(code).toBe(3);
  const work = findings.filter(({ status, check }) => status === "fail" && check !== "agent");
  for (const command of work.flatMap(({ fix }) => fix)) expectToParse(command);
  const toFix = ({ fix }: Finding): string[] => fix.map((command) => command.replaceAll(node.root, "/host"));
  return Object.fromEntries(work.map((finding) => [finding.check, toFix(finding)]));
}

/** Asserts that a command of this tool exists and has these flags. */
function expectToParse(line: string): void {
  const [program, ...words] = line.split(" ");
  if (program !== "tetragon-oci-hook-setup") return;
  const found = findCommand(commands, words);
  if (found === undefined) throw new Error(`${line}: no such command`);
  const parsed = parseArguments(found.command.flags, found.argv);
  expect({ line, parsed }).toMatchObject({ parsed: { ok: true, value: { positionals: [] } } });
}

export const nri = (keys: string, version = 3): string =>
  `version = ${version}\n[plugins."io.containerd.nri.v1.nri"]\n${keys}\n`;
export const enable = (path: string): string =>
  `tetragon-oci-hook-setup patch-containerd-conf enable-nri --config-file ${path} --in-place --host-root /host`;
export const installNri =
  "tetragon-oci-hook-setup install --host-install-dir /opt/tetragon --local-install-dir /host/opt/tetragon --host-root /host --interface nri-hook --daemonize --nri-hook.socket /host/run/nri/nri.sock";
export const standard = "/etc/containerd/config.toml";
export const k3s = "/var/lib/rancher/k3s/agent/etc/containerd";

/** The command line of a plugin that serves the runtime. */
export const pluginArgs = [
  "/opt/tetragon/tetragon-nri-hook",
  "--nri-socket",
  "/run/nri/nri.sock",
  "--mode",
  "direct",
];
