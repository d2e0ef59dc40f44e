// SPDX-License-Identifier: Apache-2.0
// The hook's log, if the flags name it: its invocations for the inspector, and its denied starts for the overview.

import { describeFailure, type HookInvocation } from "@rthooks/explain";
import type { Inspect } from "@rthooks/machines/inspection";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import type { DeniedStarts } from "../../containers/core/denied-starts.ts";
import { type HookInvocations, noHookInvocations } from "../../hook-log/core/hook-invocations.ts";
import type { AgentOptions } from "./agent-options.ts";

interface FollowedHookLog {
  readonly invocations: HookInvocations;
  /** Why invocations may be missing, one line for users; empty where they are not. */
  problem(): string;
  close(): Promise<void>;
}

/** Loaded on demand: most agents run without it. */
export async function followHookLog(
  { hookLog: path, log }: Pick<AgentOptions, "hookLog" | "log">,
  directories: DirectoryWatch,
  inspect: Inspect | undefined,
  deniedStarts: Pick<DeniedStarts, "add" | "remove">,
): Promise<FollowedHookLog> {
  if (path === "") return { invocations: noHookInvocations, problem: () => "", close: async () => {} };
  const { openHookLog } = await import("../../hook-log/edge/open-hook-log.ts");
  const onInvocation = (invocation: HookInvocation): void => noteOutcome(invocation, deniedStarts);
  return openHookLog({ path, directories, log, inspect, onInvocation });
}

/** The agent may have refused the same start: then both report it. */
function noteOutcome(invocation: HookInvocation, deniedStarts: Pick<DeniedStarts, "add" | "remove">): void {
  const { containerId, namespace, pod, container, by, outcome, failure } = invocation;
  if (containerId === "") return;
  if (outcome === "allowed") deniedStarts.remove(containerId);
  if (outcome !== "denied") return;
  deniedStarts.add({
    ...{ containerId, namespace, pod, container, by },
    atMs: invocation.startedMs + invocation.durationMs,
    failure: describeFailure(failure?.kind ?? "", failure?.message ?? ""),
  });
}
