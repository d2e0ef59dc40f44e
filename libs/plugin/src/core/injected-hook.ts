// SPDX-License-Identifier: Apache-2.0

import { MAX_ENVIRONMENT_BYTES, type Pod, renderPodEnvironment } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import type { HookCommand } from "./plugin-options.ts";

export interface InjectedHook {
  readonly path: string;
  readonly args: string[];
  readonly env: string[];
  readonly timeoutSeconds: number;
}

/**
 * Set in full, since a hook without an environment gets the runtime's: some variables make a program that is built like
 * the hook run other code. The second one spares the hook a thread that prepares memory for a longer life than it has.
 */
export const hookEnvironment: readonly string[] = [
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  "BUN_JSC_useWarmUpMarkedBlocks=0",
];

/** The hook that holds a container of the pod; the error is for people. */
export function toInjectedHook(
  { command, args, timeoutSeconds }: HookCommand,
  pod: Pod,
): Result<InjectedHook, string> {
  const environment = renderPodEnvironment(pod);
  if (!environment.ok) {
    return err(
      `the labels of pod ${pod.namespace}/${pod.name} take ${environment.error} bytes, more than the ` +
        `${MAX_ENVIRONMENT_BYTES} that can be handed to a program`,
    );
  }
  const [path] = command;
  return ok({
    path,
    args: [...command, "createRuntime", ...args],
    env: [...hookEnvironment, environment.value],
    timeoutSeconds,
  });
}
