// SPDX-License-Identifier: Apache-2.0
// The hook file that makes CRI-O and podman call the hook (containers/common pkg/hooks, schema 1.0.0).

import { parseDuration } from "@rthooks/flags";
import { toHookTimeoutSeconds } from "@rthooks/plugin";
import { isJsonObject, type JsonObject } from "@rthooks/result";
import { toName } from "@rthooks/runtime-config";
import { parseExactJson } from "./exact-json.ts";
import type { HookEntry } from "./hook-entry.ts";

export function renderHookFile(hook: HookEntry): string {
  const file = { version: "1.0.0", hook, when: { always: true }, stages: ["createRuntime"] };
  return `${JSON.stringify(file, undefined, 3)}\n`;
}

/** Whether a hook file calls a program of this file name, directly or through a loader; false for any other text. */
export function callsProgram(text: string, name: string): boolean {
  const { path, args } = parseHook(text);
  const words: readonly unknown[] = [path, ...(Array.isArray(args) ? args : [])];
  return words.some((word) => typeof word === "string" && toName(word) === name);
}

/** Whether the text is a hook file, of any hook. */
export const isHookFile = (text: string): boolean => typeof parseHook(text)["path"] === "string";

function parseHook(text: string): JsonObject {
  const hook = parseExactJson(text)?.["hook"];
  return isJsonObject(hook) ? hook : {};
}

/** The runtime's time limit in seconds, from the output of the hook's --just-print-config; undefined for other text. */
export function toTimeoutSeconds(printedConfig: string): number | undefined {
  const text = parseExactJson(printedConfig)?.["grpc_timeout"];
  const parsed = typeof text === "string" ? parseDuration(text) : undefined;
  return parsed?.ok === true ? toHookTimeoutSeconds(parsed.value) : undefined;
}
