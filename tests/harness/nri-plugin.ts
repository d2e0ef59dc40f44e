// SPDX-License-Identifier: Apache-2.0
import type { Containerd } from "./containerd.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { findHook, findNriPlugin } from "./programs.ts";
import { waitFor } from "./wait.ts";
import type { Workspace } from "./workspace.ts";

export type NriMode = "inject" | "direct" | "auto";

export interface NriPluginOptions {
  readonly mode: NriMode;
  /** Arguments of tetragon-oci-hook. */
  readonly hookArgs: readonly string[];
  /** By default the built hook. */
  readonly hookPath?: string;
  /** More flags of the plugin's own. */
  readonly flags?: readonly string[];
  /** False: it is only started. */
  readonly isServing?: boolean;
}

/** How often the plugin has got as far as serving events, by containerd's own log. */
export function countSessions({ log }: Containerd): number {
  return log().match(/plugin \S+ connected/g)?.length ?? 0;
}

/** The built plugin, connected to containerd when this returns, as far as that is wanted. */
export async function startNriPlugin(
  workspace: Workspace,
  containerd: Containerd,
  { mode, hookArgs, hookPath = findHook(), flags = [], isServing = true }: NriPluginOptions,
): Promise<RunningProcess> {
  const before = countSessions(containerd);
  const plugin = startProcess(
    [
      ...[findNriPlugin(), "--nri-socket", containerd.nriSocketPath, "--mode", mode],
      ...["--oci-hook-path", hookPath, ...flags, "hook-args", ...hookArgs],
    ],
    {},
    workspace,
  );
  if (!isServing) return plugin;
  await waitFor(
    "the plugin serves",
    () => {
      if (plugin.hasExited()) throw new Error(`the plugin ended: ${plugin.stderr()}`);
      return countSessions(containerd) > before;
    },
    60_000,
  );
  return plugin;
}
