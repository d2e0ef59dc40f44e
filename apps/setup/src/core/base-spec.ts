// SPDX-License-Identifier: Apache-2.0
// The hook in a base spec: the OCI spec from which containerd makes the containers of a runtime (base_runtime_spec).

import { err, isJsonObject, type JsonObject, ok, type Result } from "@rthooks/result";
import { toName } from "@rthooks/runtime-config";
import { parseExactJson, renderExactJson } from "./exact-json.ts";
import { parseHookCommand } from "./hook-command.ts";
import type { HookEntry } from "./hook-entry.ts";

const STAGE = "createRuntime";

/**
 * Adds the hook once: at the position of an earlier entry of the hook, else after the other hooks. The error continues
 * a line that begins with the path of the file.
 */
export function addHook(base: string, entry: HookEntry): Result<string, string> {
  const parsed = parseSpec(base);
  if (!parsed.ok) return parsed;
  const { spec, hooks, stage } = parsed.value;
  const name = toName(parseHookCommand(entry)?.program ?? entry.path);
  const at = stage.findIndex((hook) => callsHook(hook, name));
  const others = stage.filter((hook) => !callsHook(hook, name));
  const changed = others.toSpliced(at === -1 ? others.length : at, 0, entry);
  return ok(renderExactJson({ ...spec, hooks: { ...hooks, [STAGE]: changed } }));
}

/** Removes the hook, and lists and objects that become empty; the same text if the hook is not in it. */
export function removeHook(base: string, binaryName: string): Result<string, string> {
  const parsed = parseSpec(base);
  if (!parsed.ok) return parsed;
  const { spec, hooks, stage } = parsed.value;
  const others = stage.filter((hook) => !callsHook(hook, binaryName));
  if (others.length === stage.length) return ok(base);
  const { [STAGE]: _, ...otherStages } = hooks;
  const left = others.length === 0 ? otherStages : { ...hooks, [STAGE]: others };
  const { hooks: __, ...rest } = spec;
  return ok(renderExactJson(Object.keys(left).length === 0 ? rest : { ...spec, hooks: left }));
}

/**
 * Makes a base spec that changes no container from the output of `ctr oci spec`: containerd's CRI overwrites all of it
 * except process.rlimits, whose limit of 1,024 open files would apply to every container (seen on 1.7.24 and 2.1.9).
 */
export function toNeutralBase(printed: string): Result<string, string> {
  const parsed = parseSpec(printed);
  if (!parsed.ok) return parsed;
  const { spec } = parsed.value;
  if (!isJsonObject(spec["process"])) return ok(renderExactJson(spec));
  const { rlimits: _, ...rest } = spec["process"];
  return ok(renderExactJson({ ...spec, process: rest }));
}

interface ParsedSpec {
  readonly spec: JsonObject;
  readonly hooks: JsonObject;
  readonly stage: readonly unknown[];
}

function parseSpec(text: string): Result<ParsedSpec, string> {
  const spec = parseExactJson(text);
  if (spec === undefined) return err("is not a JSON object");
  // containerd accepts nearly any object as a spec.
  if (typeof spec["ociVersion"] !== "string") return err("is not an OCI spec: ociVersion is missing");
  const hooks = spec["hooks"] ?? {};
  if (!isJsonObject(hooks)) return err("is not a valid OCI spec: hooks is not an object");
  const stage = hooks[STAGE] ?? [];
  if (!Array.isArray(stage)) return err(`is not a valid OCI spec: hooks.${STAGE} is not an array`);
  return ok({ spec, hooks, stage });
}

/** Directly or through a loader, in any directory. */
function callsHook(hook: unknown, name: string): boolean {
  const command = parseHookCommand(hook);
  return command !== undefined && toName(command.program) === name;
}
