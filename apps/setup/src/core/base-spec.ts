// SPDX-License-Identifier: Apache-2.0
// The OCI spec that containerd begins each container of a runtime with (base_runtime_spec), and the hook in it.

import { err, ok, type Result } from "@rthooks/result";
import { isJsonObject, type JsonObject, parseExactJson, renderExactJson } from "./exact-json.ts";
import { parseHookCommand, toFileName } from "./hook-command.ts";
import type { HookEntry } from "./hook-entry.ts";

const STAGE = "createRuntime";

/** The text of the base with the hook in it, once, in the place where it was or behind the hooks of others. */
export function addHook(base: string, entry: HookEntry): Result<string, string> {
  const parsed = parseSpec(base);
  if (!parsed.ok) return parsed;
  const { spec, hooks, stage } = parsed.value;
  const name = toFileName(parseHookCommand(entry)?.program ?? entry.path);
  const at = stage.findIndex((hook) => callsHook(hook, name));
  const others = stage.filter((hook) => !callsHook(hook, name));
  const changed = others.toSpliced(at === -1 ? others.length : at, 0, entry);
  return ok(renderExactJson({ ...spec, hooks: { ...hooks, [STAGE]: changed } }));
}

/** The same text where the hook is not in it. What becomes empty by it goes too. */
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
 * Of the default that `ctr oci spec` prints, a base such that containers are what they are without one. containerd's
 * CRI overwrites all of it but process.rlimits, and the default's limit of 1,024 open files would reach every
 * container: seen on 1.7.24 and 2.1.9.
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
  // containerd reads nearly any object as a spec, and starts containers with what it found.
  if (typeof spec["ociVersion"] !== "string") return err("is not an OCI spec: ociVersion is missing");
  const hooks = spec["hooks"] ?? {};
  if (!isJsonObject(hooks)) return err("is not a valid OCI spec: hooks is not an object");
  const stage = hooks[STAGE] ?? [];
  if (!Array.isArray(stage)) return err(`is not a valid OCI spec: hooks.${STAGE} is not an array`);
  return ok({ spec, hooks, stage });
}

/** Directly or through a loader, wherever it is installed. */
function callsHook(hook: unknown, name: string): boolean {
  const command = parseHookCommand(hook);
  return command !== undefined && toFileName(command.program) === name;
}
