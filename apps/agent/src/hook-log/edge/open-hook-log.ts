// SPDX-License-Identifier: Apache-2.0
// Follows the hook's log, and keeps the invocations in it.

import type { HookInvocation } from "@rthooks/explain";
import { followLog } from "@rthooks/follow";
import type { Logger } from "@rthooks/log";
import type { Inspect } from "@rthooks/machines/inspection";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import { type LookTimes, repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import { createHookInvocations, type HookInvocations } from "../core/hook-invocations.ts";
import { inspectHook } from "../core/inspect-hook.ts";
import { isWithoutTrace, parseInvocation } from "../core/logged-invocation.ts";

export interface HookLogOptions {
  readonly path: string;
  readonly directories: DirectoryWatch;
  readonly log: Logger;
  /** Gets each invocation as an actor of the hook machine, with its times. */
  readonly inspect: Inspect | undefined;
  onInvocation(invocation: HookInvocation): void;
  readonly times?: LookTimes;
}

export interface HookLogFollower {
  readonly invocations: HookInvocations;
  /** Why invocations may be missing, one line for users; empty where they are not. */
  problem(): string;
  close(): Promise<void>;
}

/** Of a log that exists at the start: some hundred invocations. */
const TAIL_BYTES = 256 * 1024;
/** A line has all annotations of a pod, which are 256 KiB in Kubernetes at most, and six times that with escapes. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const ACTIVE_MS = 100;

export function openHookLog(options: HookLogOptions): HookLogFollower {
  const { path, directories, log, inspect, onInvocation, times = toLookTimes(ACTIVE_MS) } = options;
  const invocations = createHookInvocations();
  let unread = "";
  let lacksTraces = false;

  const decoder = new TextDecoder();
  const onLine = (bytes: Uint8Array): void => {
    const line = decoder.decode(bytes);
    const invocation = parseInvocation(line);
    if (invocation === undefined) {
      lacksTraces ||= isWithoutTrace(line);
      return;
    }
    lacksTraces = false;
    invocations.add(invocation);
    if (inspect !== undefined) inspectHook(inspect, invocation);
    onInvocation(invocation);
  };
  const followed = followLog(path, { tail: { bytes: TAIL_BYTES }, maxLineBytes: MAX_LINE_BYTES, onLine });

  const look = async (): Promise<"quiet" | "active"> => {
    const { hasMore, problem } = await followed.look();
    if (problem !== "" && problem !== unread) log.warn("hook log not followed", { path, err: problem });
    unread = problem;
    return hasMore ? "active" : "quiet";
  };
  const looks = repeatLook({ directories, times, paths: () => [path], look });

  return {
    invocations,
    problem() {
      if (unread !== "")
        return `the hook's log ${path} is not followed, and hook invocations are not shown: ${unread}`;
      return lacksTraces
        ? `the hook's log ${path} has no traces, and hook invocations are not shown: set the hook's --log-level to debug`
        : "";
    },
    async close() {
      await looks.close();
      await followed.close();
    },
  };
}
