// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import { type Advice, findUsableHooksDir } from "./advice.ts";
import { createFinding, type Finding } from "./findings.ts";
import { DEFAULT_BASE_SPEC } from "./install-flags.ts";
import type { HookConfigFacts, NodeFacts, NriFacts, NriPluginFacts, RuntimeFacts } from "./node-facts.ts";
import { findPluginsOf } from "./nri-plugin-process.ts";

export function diagnoseRuntime(facts: NodeFacts, runtime: RuntimeFacts, advice: Advice): readonly Finding[] {
  return [
    describeRuntime(runtime, advice),
    ...runtime.config.problems.map((problem) => createFinding("config", "warn", problem)),
    ...diagnoseWay(facts, runtime, advice),
    ...diagnoseOtherRuntimes(facts, runtime),
  ];
}

export function nameOf({ kind, version, distribution }: RuntimeFacts): string {
  const name = `${kind} ${version ?? "of unknown version"}`;
  return distribution === "standard" ? name : `${name} (${distribution})`;
}

function describeRuntime(runtime: RuntimeFacts, advice: Advice): Finding {
  const { socket, config } = runtime;
  const file = config.exists ? `configured by ${config.path}` : `without ${config.path}: defaults apply`;
  const text = `${nameOf(runtime)}, ${file}`;
  if (socket === null || socket.state === "open") return createFinding("runtime", "ok", text);
  const fix = socket.state === "unknown" ? [] : [advice.restart(runtime)];
  return createFinding("runtime", "warn", `${text}; cannot connect to ${socket.path}`, fix);
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
      return [diagnoseHooksDirs(facts, runtime, advice)];
    }
    case "base-spec": {
      const names = runtime.runc_runtimes.map(({ name }) => name).join(", ");
      const message = `${runtime.kind} has no NRI, and these runtimes have no base spec with the hook: ${names}`;
      const patched = advice.patchContainerd(runtime, { kind: "add-oci-hook", baseSpec: DEFAULT_BASE_SPEC });
      const fix = patched.ok ? ok([...advice.install(runtime), ...patched.value]) : patched;
      return [toFinding("wiring", message, fix)];
    }
    case "nri-hook":
      return runtime.nri === null ? [] : diagnoseNri(plugins, runtime, runtime.nri, advice);
  }
}

/** No hook of ours is called from the hooks directories. */
function diagnoseHooksDirs({ hook_configs }: NodeFacts, runtime: RuntimeFacts, advice: Advice): Finding {
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

/** Those that this runtime reads. */
function findConfigs({ hook_configs }: NodeFacts, runtime: RuntimeFacts): readonly HookConfigFacts[] {
  const specs = runtime.runc_runtimes.map((runc) => runc.base_spec);
  const isRead = (path: string): boolean => !runtime.overridden.some((other) => other.path === path);
  const isInHooksDir = (path: string): boolean =>
    runtime.hooks_dirs.some((dir) => path.startsWith(`${dir}/`));
  return hook_configs.filter(({ path }) => specs.includes(path) || (isInHooksDir(path) && isRead(path)));
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
    createFinding("wiring", "ok", `${runtime.kind} calls the hook: ${[...new Set(paths)].join(", ")}`),
  ];
  if (without.length > 0 && !hasPlugin) {
    const names = without.map(({ name, file }) => (file === null ? name : `${name} (${file})`)).join(", ");
    const message = `containers of these runtimes bypass the hook: ${names}`;
    const known = runtime.runc_runtimes.find(
      ({ base_spec }) => base_spec !== null && paths.includes(base_spec),
    );
    const specs = new Set(without.map(({ base_spec }) => base_spec ?? known?.base_spec ?? DEFAULT_BASE_SPEC));
    const patches = [...specs].map((baseSpec) =>
      advice.patchContainerd(runtime, { kind: "add-oci-hook", baseSpec }),
    );
    const failed = patches.find((patched) => !patched.ok);
    // Each ends with the runtime's restart: once is enough.
    const commands = patches.flatMap((patched) => (patched.ok ? patched.value : []));
    const fix = [...new Set(commands.filter((command) => command !== advice.restart(runtime)))];
    const all = failed ?? ok([...fix, advice.restart(runtime)]);
    findings.push(toFinding("wiring", message, all));
  }
  if (isTwice || hasPlugin) {
    const message = "the hook is called twice for each container: remove one of its configurations";
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
  const enable = (): Result<readonly string[], string> =>
    runtime.kind === "containerd" ? advice.patchContainerd(runtime, { kind: "enable-nri" }) : ok([]);
  if (nri.enabled === false) {
    const message = `NRI is off (${describeDecision(nri)})`;
    return [toFinding("nri", message, enable(), advice.install(runtime))];
  }
  if (!nri.connections) {
    const message = `NRI accepts no connections (disable_connections, ${nri.decided_in.join(", ")}): plugins cannot connect`;
    return [toFinding("nri", message, enable(), advice.install(runtime))];
  }
  const findings: Finding[] = [];
  if (nri.enabled === null) {
    const message =
      "cannot determine whether NRI is on: the runtime's version is unknown, and its configuration does not set it";
    const enabled = enable();
    const fix = nri.socket.state !== "open" && enabled.ok ? enabled.value : [];
    findings.push(createFinding("nri", "warn", message, fix));
  } else if (nri.socket.state === "absent" || nri.socket.state === "refused") {
    const message = `NRI is on, but nothing listens on ${nri.socket.path}: the runtime has not read its configuration yet`;
    findings.push(createFinding("nri", "fail", message, [advice.restart(runtime)]));
  } else {
    findings.push(createFinding("nri", "ok", `NRI is on (${nri.decided_by}), socket ${nri.socket.path}`));
  }
  const direct = nri.rejects_hooks ? ["--nri-hook.mode", "direct"] : [];
  if (plugins.length > 0) {
    const names = plugins.map(({ command }) => command).join("; ");
    findings.push(createFinding("wiring", "ok", `NRI plugin running: ${names}`));
    for (const { command, unsynchronized } of plugins) {
      if (unsynchronized !== true) continue;
      const message = `the runtime has not synchronized ${command}: its containers start without being held; see the plugin's log`;
      findings.push(createFinding("wiring", "fail", message, [advice.restart(runtime)]));
    }
    if (nri.rejects_hooks && plugins.some(({ mode }) => mode === "inject")) {
      const message =
        `containerd's default validator rejects every container to which a plugin adds a hook (reject_oci_hook_adjustment, ` +
        `${nri.decided_in.join(", ")}): run the plugin with --mode direct`;
      findings.push(createFinding("wiring", "fail", message, advice.install(runtime, direct)));
    }
    return findings;
  }
  const message =
    "no NRI plugin is running: `install --interface nri-hook --daemonize` installs the hook and runs one";
  findings.push(createFinding("wiring", "fail", message, advice.install(runtime, direct)));
  return findings;
}

function describeDecision({ decided_by, decided_in }: NriFacts): string {
  const files = decided_in.join(", ");
  switch (decided_by) {
    case "default":
      return files === "" ? "the version's default" : `the version's default, not set in ${files}`;
    case "disabled_plugins":
      return `disabled_plugins in ${files}`;
    case "config":
      return files === "" ? "config" : files;
  }
}

/** Kata's and gVisor's shims start virtual machines or sandboxes of their own, and call no OCI hook. */
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

/** A failed check with its commands, or with the reason why there are none. */
const toFinding = (
  check: Finding["check"],
  message: string,
  patched: Result<readonly string[], string>,
  more: readonly string[] = [],
): Finding =>
  patched.ok
    ? createFinding(check, "fail", message, [...patched.value, ...more])
    : createFinding(check, "fail", `${message}; ${patched.error}`, more);
