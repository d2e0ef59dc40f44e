// SPDX-License-Identifier: Apache-2.0
// NRI of a runtime, and the plugins that hold its containers.

import { ok, type Result } from "@rthooks/result";
import type { Advice } from "./advice.ts";
import { createFailure, createFinding, type Finding } from "./findings.ts";
import type { NriFacts, NriPluginFacts, RuntimeFacts } from "./node-facts.ts";

/** `plugins` are those that serve this runtime. */
export function diagnoseNri(
  plugins: readonly NriPluginFacts[],
  runtime: RuntimeFacts,
  nri: NriFacts,
  advice: Advice,
): readonly Finding[] {
  const enable = (): Result<readonly string[], string> =>
    runtime.kind === "containerd" ? advice.patchContainerd(runtime, { kind: "enable-nri" }) : ok([]);
  if (nri.enabled === false) {
    const message = `NRI is off (${describeDecision(nri)})`;
    return [createFailure("nri", message, enable(), advice.install(runtime))];
  }
  if (!nri.connections) {
    const message = `NRI accepts no connections (disable_connections, ${nri.decided_in.join(", ")}): plugins cannot connect`;
    return [createFailure("nri", message, enable(), advice.install(runtime))];
  }
  return [diagnoseSocket(runtime, nri, enable, advice), ...diagnosePlugins(plugins, runtime, nri, advice)];
}

/** Whether the runtime runs with NRI as configured. */
function diagnoseSocket(
  runtime: RuntimeFacts,
  { enabled, socket, decided_by }: NriFacts,
  enable: () => Result<readonly string[], string>,
  advice: Advice,
): Finding {
  if (enabled === null) {
    const message =
      "cannot determine whether NRI is on: the runtime's version is unknown, and its configuration does not set it";
    const patched = enable();
    const fix = socket.state !== "open" && patched.ok ? patched.value : [];
    return createFinding("nri", "warn", message, fix);
  }
  if (socket.state === "absent" || socket.state === "refused") {
    const message = `NRI is on, but nothing listens on ${socket.path}: the runtime has not read its configuration yet`;
    return createFinding("nri", "fail", message, [advice.restart(runtime)]);
  }
  return createFinding("nri", "ok", `NRI is on (${decided_by}), socket ${socket.path}`);
}

function diagnosePlugins(
  plugins: readonly NriPluginFacts[],
  runtime: RuntimeFacts,
  nri: NriFacts,
  advice: Advice,
): readonly Finding[] {
  const direct = nri.rejects_hooks ? ["--nri-hook.mode", "direct"] : [];
  if (plugins.length === 0) {
    const message =
      "no NRI plugin is running: `install --interface nri-hook --daemonize` installs the hook and runs one";
    return [createFinding("wiring", "fail", message, advice.install(runtime, direct))];
  }
  const names = plugins.map(({ command }) => command).join("; ");
  const findings = [createFinding("wiring", "ok", `NRI plugin running: ${names}`)];
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
