// SPDX-License-Identifier: Apache-2.0

import type { Advice } from "./advice.ts";
import { createFinding, type Finding } from "./findings.ts";
import type { HookConfigFacts, NodeFacts, NriFacts, NriPluginFacts, RuntimeFacts } from "./node-facts.ts";
import { findPluginsOf } from "./nri-plugin-process.ts";

export function diagnoseRuntime(facts: NodeFacts, runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  return [
    describeRuntime(runtime, advice),
    ...runtime.config.problems.map((problem) => createFinding("config", "warn", problem)),
    ...diagnoseWay(facts, runtime, advice),
  ];
}

export function nameOf({ kind, version, distribution }: RuntimeFacts): string {
  const name = `${kind} ${version ?? "of unknown version"}`;
  return distribution === "standard" ? name : `${name} (${distribution})`;
}

function describeRuntime(runtime: RuntimeFacts, advice: Advice): Finding {
  const { socket, config } = runtime;
  const file = config.exists ? `configured by ${config.path}` : `without ${config.path}, on its defaults`;
  const text = `${nameOf(runtime)}, ${file}`;
  if (socket === null || socket.state === "open") return createFinding("runtime", "ok", text);
  const fix = socket.state === "unknown" ? [] : [advice.restart(runtime)];
  return createFinding("runtime", "warn", `${text}; nobody was reached on ${socket.path}`, fix);
}

function diagnoseWay(facts: NodeFacts, runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  const plugins = findPluginsOf(facts.nri_plugins, runtime);
  const wired = findConfigs(facts, runtime);
  if (wired.length > 0) return describeWired(plugins.length > 0, runtime, wired, advice);
  switch (runtime.interface) {
    case "oci-hooks": {
      if (plugins.length > 0 && runtime.nri !== null) {
        return diagnoseNri(plugins, runtime, runtime.nri, advice);
      }
      const dirs = runtime.hooks_dirs.join(", ");
      const message = `${runtime.kind} is not told of the hook: nothing in ${dirs} calls it`;
      return [createFinding("wiring", "fail", message, advice.install(runtime))];
    }
    case "base-spec": {
      const names = runtime.runc_runtimes.map(({ name }) => name).join(", ");
      const message = `${runtime.kind} has no NRI, and no base spec with the hook for: ${names}`;
      const fix = [...advice.install(runtime), ...advice.patchContainerd(runtime, "add-oci-hook")];
      return [createFinding("wiring", "fail", message, fix)];
    }
    case "nri-hook":
      return runtime.nri === null ? [] : diagnoseNri(plugins, runtime, runtime.nri, advice);
  }
}

/** Those that this runtime reads. */
function findConfigs({ hook_configs }: NodeFacts, runtime: RuntimeFacts): readonly HookConfigFacts[] {
  const specs = runtime.runc_runtimes.map((runc) => runc.base_spec);
  return hook_configs.filter(
    ({ path }) => specs.includes(path) || runtime.hooks_dirs.some((dir) => path.startsWith(`${dir}/`)),
  );
}

function describeWired(
  hasPlugins: boolean,
  runtime: RuntimeFacts,
  wired: readonly HookConfigFacts[],
  advice: Advice,
): readonly Finding[] {
  const paths = wired.map(({ path }) => path);
  const without = runtime.runc_runtimes.filter(
    ({ base_spec }) => base_spec === null || !paths.includes(base_spec),
  );
  const isTwice = paths.length > 1 && runtime.kind !== "containerd";
  const hasPlugin = hasPlugins && runtime.nri?.enabled === true;
  const findings = [
    createFinding("wiring", "ok", `${runtime.kind} calls the hook by ${[...new Set(paths)].join(", ")}`),
  ];
  if (without.length > 0 && !hasPlugin) {
    const names = without.map(({ name }) => name).join(", ");
    const message = `containers of these runtimes pass the hook by: ${names}`;
    findings.push(createFinding("wiring", "fail", message, advice.patchContainerd(runtime, "add-oci-hook")));
  }
  if (isTwice || hasPlugin) {
    const message = "the hook is called twice for each container: one of its configurations is enough";
    findings.push(createFinding("wiring", "warn", message));
  }
  return findings;
}

function diagnoseNri(
  plugins: readonly NriPluginFacts[],
  runtime: RuntimeFacts,
  nri: NriFacts,
  advice: Advice,
): readonly Finding[] {
  const enable = (): readonly string[] =>
    runtime.kind === "containerd" ? advice.patchContainerd(runtime, "enable-nri") : [];
  if (nri.enabled === false) {
    const message = `NRI is off (${nri.decided_by === "default" ? "the version's default" : nri.decided_by})`;
    return [createFinding("nri", "fail", message, [...enable(), ...advice.install(runtime)])];
  }
  if (!nri.connections) {
    const message = "NRI takes no connections (disable_connections): no plugin can come";
    return [createFinding("nri", "fail", message, [...enable(), ...advice.install(runtime)])];
  }
  const findings: Finding[] = [];
  if (nri.enabled === null) {
    const message = "the runtime's version is unknown, and its configuration does not say whether NRI is on";
    findings.push(createFinding("nri", "warn", message, nri.socket.state === "open" ? [] : enable()));
  } else if (nri.socket.state === "absent" || nri.socket.state === "refused") {
    const message = `NRI is on, and nobody listens on ${nri.socket.path}: the runtime has not read its configuration yet`;
    findings.push(createFinding("nri", "fail", message, [advice.restart(runtime)]));
  } else {
    findings.push(createFinding("nri", "ok", `NRI is on (${nri.decided_by}), at ${nri.socket.path}`));
  }
  if (plugins.length > 0) {
    const names = plugins.map(({ command }) => command).join("; ");
    findings.push(createFinding("wiring", "ok", `the NRI plugin runs: ${names}`));
    return findings;
  }
  const message = "no program that adds the hook by NRI runs here; this one does, as long as it runs";
  findings.push(createFinding("wiring", "fail", message, advice.install(runtime)));
  return findings;
}
