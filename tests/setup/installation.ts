// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

/** A directory for the hook and one for the runtime's configuration, as a host would have them. */
export interface Installation {
  readonly installDir: string;
  readonly hooksDir: string;
  readonly binary: string;
  readonly conf: string;
  install(flags?: readonly string[], hookArgs?: readonly string[]): Promise<Finished>;
  uninstall(flags?: readonly string[]): Promise<Finished>;
  /** `install --daemonize`, when it has installed. */
  startDaemon(flags?: readonly string[]): Promise<RunningProcess>;
  /** All that a runtime sees, with its contents' length and hash. */
  snapshot(): readonly string[];
  /** Hidden files: the tool's own notes, locks, and staged files. */
  notes(): readonly string[];
}

let count = 0;

export function createInstallation(workspace: Workspace, installDir?: string): Installation {
  const dir = workspace.path(`host-${++count}`);
  const hooksDir = join(dir, "hooks.d");
  const into = installDir ?? join(dir, "opt");
  mkdirSync(hooksDir, { recursive: true });
  const places = ["--host-install-dir", into, "--oci-hooks.local-dir", hooksDir];
  const run = (argv: readonly string[]) => runProcess([findSetup(), ...argv], { killAfterMs: 60_000 });
  return {
    installDir: into,
    hooksDir,
    binary: join(into, "tetragon-oci-hook"),
    conf: join(hooksDir, "tetragon-oci-hook.json"),
    install: (flags = [], hookArgs = []) =>
      run([
        ...["install", ...places, "--local-binary", findHook(), ...flags],
        ...(hookArgs.length === 0 ? [] : ["hook-args", ...hookArgs]),
      ]),
    async startDaemon(flags = []) {
      const argv = ["install", "--daemonize", ...places, "--local-binary", findHook(), ...flags];
      const daemon = startProcess([findSetup(), ...argv], {}, workspace);
      await waitFor("the installation", () => daemon.stderr().includes("waiting for SIGTERM"), 60_000);
      return daemon;
    },
    uninstall: (flags = []) => run(["uninstall", ...places, ...flags]),
    snapshot: () => [...list(into), ...list(hooksDir)],
    notes: () =>
      [into, hooksDir].flatMap((directory) => readdirSync(directory).filter((name) => name.startsWith("."))),
  };
}

function list(directory: string): readonly string[] {
  if (!existsSync(directory)) return [`${directory}: none`];
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .map((entry) => {
      const path = join(directory, entry.name);
      if (!entry.isFile()) return `${path}/`;
      const bytes = readFileSync(path);
      return `${path} ${bytes.length} ${Bun.hash(bytes)}`;
    })
    .toSorted();
}

/** A program that passes for the hook, as far as the installer asks it. */
export function writeFakeHook(workspace: Workspace, body: string): string {
  const directory = workspace.path(`fake-${++count}`);
  mkdirSync(directory);
  const path = join(directory, "tetragon-oci-hook");
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

export const fakeVersion = (version: string): string =>
  `case "$*" in *--version*) echo "tetragon-oci-hook ${version}";; *) echo '{"grpc_timeout": "10s"}';; esac`;
