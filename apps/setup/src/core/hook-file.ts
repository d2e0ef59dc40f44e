// SPDX-License-Identifier: Apache-2.0
// The file in a hooks directory that makes CRI-O and podman call the hook (containers/common pkg/hooks, schema 1.0.0).

import { parseDuration } from "@rthooks/flags";
import { toHookTimeoutSeconds } from "@rthooks/plugin";
import type { HookEntry } from "./hook-entry.ts";

export function renderHookFile(hook: HookEntry): string {
  const file = { version: "1.0.0", hook, when: { always: true }, stages: ["createRuntime"] };
  return `${JSON.stringify(file, undefined, 3)}\n`;
}

/** Whether the file calls a program of this name, directly or through a loader; false for what is no hook file. */
export function callsProgram(text: string, name: string): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return false;
  }
  const hook = asObject(asObject(json)["hook"]);
  const args = hook["args"];
  const words: unknown[] = [hook["path"], ...(Array.isArray(args) ? args : [])];
  return words.some((word) => typeof word === "string" && word.slice(word.lastIndexOf("/") + 1) === name);
}

/** Whether the file has a hook, whichever it calls. */
export function isHookFile(text: string): boolean {
  try {
    return typeof asObject(asObject(JSON.parse(text))["hook"])["path"] === "string";
  } catch {
    return false;
  }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

/** Seconds for the runtime's own limit, of what the hook's --just-print-config says; undefined if that says nothing. */
export function toTimeoutSeconds(printedConfig: string): number | undefined {
  let json: unknown;
  try {
    json = JSON.parse(printedConfig);
  } catch {
    return undefined;
  }
  const text = asObject(json)["grpc_timeout"];
  const parsed = typeof text === "string" ? parseDuration(text) : undefined;
  return parsed?.ok === true ? toHookTimeoutSeconds(parsed.value) : undefined;
}
