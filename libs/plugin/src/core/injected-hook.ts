// SPDX-License-Identifier: Apache-2.0

import type { NriHooks } from "@rthooks/nri";
import { MAX_ENVIRONMENT_BYTES, type NriPod, POD_ENVIRONMENT, renderPodEnvironment } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import type { HookOptions } from "./plugin-options.ts";

export interface InjectedHook {
  readonly path: string;
  readonly args: string[];
  readonly env: string[];
  readonly timeoutSeconds: number;
}

/**
 * The whole environment of the hook. A hook without one inherits the runtime's, and variables such as BUN_OPTIONS make a
 * compiled Bun program execute other code. The second variable turns off a thread that prepares memory of the JavaScript
 * engine: the hook exits before it would use that memory.
 */
export const hookEnvironment: readonly string[] = [
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
  "BUN_JSC_useWarmUpMarkedBlocks=0",
];

/**
 * Whether another plugin has added this hook already, as that of the other pod does during a rolling update. Hooks are those
 * of the node's administrator: a pod's author cannot write them.
 */
export const isInjected = ({ command }: HookOptions, hooks: NriHooks | undefined): boolean =>
  hooks?.createRuntime.some(
    ({ path, args, env }) =>
      path === command[0] &&
      command.every((word, at) => args[at] === word) &&
      env.some((variable) => variable.startsWith(`${POD_ENVIRONMENT}=`)),
  ) ?? false;

/** The hook that holds a container of the pod; the error is a sentence for the log. */
export function toInjectedHook(
  { command, args, timeoutSeconds }: HookOptions,
  pod: NriPod,
): Result<InjectedHook, string> {
  const environment = renderPodEnvironment(pod);
  if (!environment.ok) {
    return err(
      `the labels of pod ${pod.namespace}/${pod.name} take ${environment.error} bytes; ` +
        `an environment variable holds at most ${MAX_ENVIRONMENT_BYTES}`,
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
