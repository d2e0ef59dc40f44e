// SPDX-License-Identifier: Apache-2.0

import { isJsonObject } from "@rthooks/result";

const STAGE = "createRuntime";

/** The command of an OCI hook entry. */
export interface HookCommand {
  readonly path: string;
  /** The hook itself: `path`, or the program that the loader at `path` runs. */
  readonly program: string;
  /** The arguments after the stage. */
  readonly args: readonly string[];
}

/** Undefined if `hook` is not a hook entry. */
export function parseHookCommand(hook: unknown): HookCommand | undefined {
  if (!isJsonObject(hook) || typeof hook["path"] !== "string") return undefined;
  const path = hook["path"];
  const given: readonly unknown[] = Array.isArray(hook["args"]) ? hook["args"] : [];
  const words = given.filter((word) => typeof word === "string");
  const stageAt = words.indexOf(STAGE);
  // argv[0] need not be a path. The word before the stage is the program that a loader runs.
  const program = stageAt > 1 ? (words[stageAt - 1] ?? path) : path;
  return { path, program, args: stageAt === -1 ? [] : words.slice(stageAt + 1) };
}
