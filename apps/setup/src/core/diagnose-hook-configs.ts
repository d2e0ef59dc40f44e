// SPDX-License-Identifier: Apache-2.0
// The hook files and base specs by which a runtime calls the hook.

import { ok } from "@rthooks/result";
import { type Advice, findUsableHooksDir } from "./advice.ts";
import { DEFAULT_BASE_SPEC } from "./default-paths.ts";
import { createFailure, createFinding, type Finding } from "./findings.ts";
import type { HookConfigFacts, NodeFacts, RuntimeFacts } from "./node-facts.ts";

/** The hook files and base specs that this runtime reads. */
export function findHookConfigs(
  { hook_configs }: NodeFacts,
  runtime: RuntimeFacts,
): readonly HookConfigFacts[] {
  const specs = runtime.runc_runtimes.map((runc) => runc.base_spec);
  const isRead = (path: string): boolean => !runtime.overridden.some((other) => other.path === path);
  const isInHooksDir = (path: string): boolean =>
    runtime.hooks_dirs.some((dir) => path.startsWith(`${dir}/`));
  return hook_configs.filter(({ path }) => specs.includes(path) || (isInHooksDir(path) && isRead(path)));
}

/** For a runtime that reads `configs`; `hasPlugin`: an NRI plugin also serves it. */
export function diagnoseHookConfigs(
  configs: readonly HookConfigFacts[],
  runtime: RuntimeFacts,
  hasPlugin: boolean,
  advice: Advice,
): readonly Finding[] {
  const paths = configs.map(({ path }) => path);
  const isPluginUsed = hasPlugin && runtime.nri?.enabled === true;
  const isTwice = paths.length > 1 && runtime.kind !== "containerd";
  const called = [...new Set(paths)].join(", ");
  const findings = [createFinding("wiring", "ok", `${runtime.kind} calls the hook: ${called}`)];
  if (!isPluginUsed) findings.push(...diagnoseBypass(paths, runtime, advice));
  if (isTwice || isPluginUsed) {
    const message = "the hook is called twice for each container: remove one of its configurations";
    findings.push(createFinding("wiring", "warn", message));
  }
  return findings;
}

/** Runtimes of runc whose base spec has no hook. */
function diagnoseBypass(paths: readonly string[], runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  const bypassing = runtime.runc_runtimes.filter(
    ({ base_spec }) => base_spec === null || !paths.includes(base_spec),
  );
  if (bypassing.length === 0) return [];
  const names = bypassing.map(({ name, file }) => (file === null ? name : `${name} (${file})`)).join(", ");
  const message = `containers of these runtimes bypass the hook: ${names}`;
  const known = runtime.runc_runtimes.find(
    ({ base_spec }) => base_spec !== null && paths.includes(base_spec),
  );
  const specs = new Set(bypassing.map(({ base_spec }) => base_spec ?? known?.base_spec ?? DEFAULT_BASE_SPEC));
  const patches = [...specs].map((baseSpec) =>
    advice.patchContainerd(runtime, { kind: "add-oci-hook", baseSpec }),
  );
  const failed = patches.find((patched) => !patched.ok);
  if (failed !== undefined) return [createFailure("wiring", message, failed)];
  // Each patch ends with a restart of the runtime: one restart is enough.
  const restart = advice.restart(runtime);
  const commands = patches.flatMap((patched) => (patched.ok ? patched.value : []));
  const fix = [...new Set(commands.filter((command) => command !== restart)), restart];
  return [createFailure("wiring", message, ok(fix))];
}

/** For a runtime without a hook file that calls the hook. */
export function diagnoseHooksDirs(
  { hook_configs }: NodeFacts,
  runtime: RuntimeFacts,
  advice: Advice,
): Finding {
  const { kind, hooks_dirs, overridden } = runtime;
  const dirs = hooks_dirs.join(", ");
  const masked = overridden.find(({ path }) => hook_configs.some((config) => config.path === path));
  if (masked !== undefined) {
    const message = `${kind} does not read ${masked.path}: ${masked.by} has the same name in a later hooks directory, and calls another program`;
    return createFinding("wiring", "fail", message, advice.remove(masked.by));
  }
  const message = `${kind} does not call the hook: no file in ${dirs} calls it`;
  if (findUsableHooksDir(runtime) !== undefined) {
    return createFinding("wiring", "fail", message, advice.install(runtime));
  }
  return createFinding(
    "wiring",
    "fail",
    `${message}, and all are read-only: add a writable directory to hooks_dir`,
  );
}
