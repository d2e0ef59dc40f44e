// SPDX-License-Identifier: Apache-2.0

import { ok } from "@rthooks/result";
import type { Advice } from "./advice.ts";
import { DEFAULT_BASE_SPEC } from "./default-paths.ts";
import { diagnoseHookConfigs, diagnoseHooksDirs, findHookConfigs } from "./diagnose-hook-configs.ts";
import { diagnoseNri } from "./diagnose-nri.ts";
import { createFailure, createFinding, type Finding } from "./findings.ts";
import type { NodeFacts, RuntimeFacts } from "./node-facts.ts";
import { findPluginsOf } from "./nri-plugin-process.ts";

export function diagnoseRuntime(facts: NodeFacts, runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  return [
    describeRuntime(runtime, advice),
    ...runtime.config.problems.map((problem) => createFinding("config", "warn", problem)),
    ...diagnoseWiring(facts, runtime, advice),
    ...diagnoseOtherRuntimes(facts, runtime),
  ];
}

export function describeName({ kind, version, distribution }: RuntimeFacts): string {
  const name = `${kind} ${version ?? "of unknown version"}`;
  return distribution === "standard" ? name : `${name} (${distribution})`;
}

function describeRuntime(runtime: RuntimeFacts, advice: Advice): Finding {
  const { socket, config } = runtime;
  const file = config.exists ? `configured by ${config.path}` : `without ${config.path}: defaults apply`;
  const text = `${describeName(runtime)}, ${file}`;
  if (socket === null || socket.state === "open") return createFinding("runtime", "ok", text);
  const fix = socket.state === "unknown" ? [] : [advice.restart(runtime)];
  return createFinding("runtime", "warn", `${text}; cannot connect to ${socket.path}`, fix);
}

function diagnoseWiring(facts: NodeFacts, runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  const plugins = findPluginsOf(facts.nri_plugins, runtime);
  const configs = findHookConfigs(facts, runtime);
  if (configs.length > 0) return diagnoseHookConfigs(configs, runtime, plugins.length > 0, advice);
  switch (runtime.interface) {
    case "oci-hooks": {
      if (plugins.length > 0 && runtime.nri !== null) {
        return diagnoseNri(plugins, runtime, runtime.nri, advice);
      }
      return [diagnoseHooksDirs(facts, runtime, advice)];
    }
    case "base-spec": {
      const names = runtime.runc_runtimes.map(({ name }) => name).join(", ");
      const message = `${runtime.kind} has no NRI, and these runtimes have no base spec with the hook: ${names}`;
      const patched = advice.patchContainerd(runtime, { kind: "add-oci-hook", baseSpec: DEFAULT_BASE_SPEC });
      const fix = patched.ok ? ok([...advice.install(runtime), ...patched.value]) : patched;
      return [createFailure("wiring", message, fix)];
    }
    case "nri-hook":
      return runtime.nri === null ? [] : diagnoseNri(plugins, runtime, runtime.nri, advice);
  }
}

/** The shims of Kata and gVisor start virtual machines or sandboxes, and may ignore OCI hooks. */
function diagnoseOtherRuntimes(facts: NodeFacts, runtime: RuntimeFacts): readonly Finding[] {
  const { other_runtimes } = runtime;
  if (other_runtimes.length === 0) return [];
  const plugins = findPluginsOf(facts.nri_plugins, runtime);
  if (plugins.length > 0 && plugins.every(({ mode }) => mode === "direct")) return [];
  const names = other_runtimes.map(({ name, type }) => `${name} (${type})`).join(", ");
  const message =
    `these runtime handlers may ignore OCI hooks, so their containers may start without being held: ${names}; ` +
    "use the NRI plugin in direct mode";
  return [createFinding("wiring", "warn", message)];
}
