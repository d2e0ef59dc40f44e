// SPDX-License-Identifier: Apache-2.0

import { isJsonObject } from "./exact-json.ts";

const STAGE = "createRuntime";

/** Of an OCI hook entry: the programs it runs, a loader first if there is one, and what they are given. */
export interface HookCommand {
  readonly path: string;
  /** The hook itself: `path`, or what the loader at `path` runs. */
  readonly program: string;
  /** Behind the stage. */
  readonly args: readonly string[];
}

/** Undefined for what is no hook entry. */
export function parseHookCommand(hook: unknown): HookCommand | undefined {
  if (!isJsonObject(hook) || typeof hook["path"] !== "string") return undefined;
  const path = hook["path"];
  const given: readonly unknown[] = Array.isArray(hook["args"]) ? hook["args"] : [];
  const words = given.filter((word) => typeof word === "string");
  const stageAt = words.indexOf(STAGE);
  // argv[0] alone names nothing: it need not be a path. Behind it comes what a loader is told to run.
  const program = stageAt > 1 ? (words[stageAt - 1] ?? path) : path;
  return { path, program, args: stageAt === -1 ? [] : words.slice(stageAt + 1) };
}

export const toFileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
