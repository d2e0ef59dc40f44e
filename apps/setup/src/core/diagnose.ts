// SPDX-License-Identifier: Apache-2.0
// Examines the facts of a node: do runtimes call the hook for every container, can it run, does the agent listen.

import { type Advice, usableDir } from "./advice.ts";
import { diagnoseRuntime } from "./diagnose-runtime.ts";
import { createFinding, type Finding } from "./findings.ts";
import type { NodeFacts, RuntimeFacts } from "./node-facts.ts";

export function diagnose(facts: NodeFacts, advice: Advice): readonly Finding[] {
  const runtimes = findRelevant(facts.runtimes);
  return [
    ...(runtimes.length === 0
      ? [
          createFinding(
            "runtime",
            "fail",
            "no container runtime found: check that --root is the node's root directory",
          ),
        ]
      : []),
    ...runtimes.flatMap((runtime) => diagnoseRuntime(facts, runtime, advice)),
    ...diagnoseHook(facts, runtimes[0], advice),
    diagnoseInstallDir(facts),
    ...diagnoseUnsafePaths(facts, advice),
    diagnoseAgent(facts),
    diagnoseCgroups(facts),
  ];
}

/** The running CRI runtimes; if none runs, all CRI runtimes; podman on a node without one. */
function findRelevant(runtimes: readonly RuntimeFacts[]): readonly RuntimeFacts[] {
  const cri = runtimes.filter(({ kind, cri_disabled }) => kind !== "podman" && !cri_disabled);
  const running = cri.filter(({ socket }) => socket?.state === "open");
  if (running.length > 0) return running;
  return cri.length > 0 ? cri : runtimes.filter(({ kind }) => kind === "podman");
}

function diagnoseHook(
  { hook, hook_configs }: NodeFacts,
  runtime: RuntimeFacts | undefined,
  advice: Advice,
): readonly Finding[] {
  const install = (extra: readonly string[] = []): readonly string[] =>
    runtime === undefined ? [] : advice.install(runtime, extra);
  const dangling = hook_configs.filter(({ missing }) => missing.length > 0);
  if (dangling.length > 0) {
    return dangling.map(({ path, missing }) =>
      createFinding(
        "hook",
        "fail",
        `${path} calls ${missing.join(", ")}, which is not an executable file on this node: containers fail to start, or (podman, CRI-O) start unheld`,
        install(),
      ),
    );
  }
  if (hook === null) return [];
  if (hook.runs === false) {
    const message = `${hook.path} does not run on this node: its C library is missing or too old, or the file is damaged`;
    return [createFinding("hook", "fail", message, install(["--libc", "bundled"]))];
  }
  return [createFinding("hook", "ok", `${hook.path} ${hook.version ?? ""}`.trimEnd())];
}

function diagnoseInstallDir({ install_dir, hook }: NodeFacts): Finding {
  const { path, read_only, noexec } = install_dir;
  if (!read_only && !noexec)
    return createFinding("install-dir", "ok", `${path} is usable as the install directory`);
  const why = noexec ? "is mounted noexec: programs cannot run there" : "is on a read-only file system";
  // An installed hook that runs needs no write access.
  const status = hook?.runs === true ? "ok" : "warn";
  return createFinding("install-dir", status, `${path} ${why}; use ${usableDir(install_dir)}`);
}

function diagnoseUnsafePaths({ unsafe_paths }: NodeFacts, advice: Advice): readonly Finding[] {
  return unsafe_paths.map(({ path, step, problem }) => {
    const what = step === path ? path : `${path}: ${step}`;
    const message = `${what} ${problem}: other users can replace a program that root runs for every container`;
    return createFinding("install-dir", "fail", message, advice.protect(step));
  });
}

function diagnoseAgent({ agent, hook_configs, nri_plugins }: NodeFacts): Finding {
  switch (agent.state) {
    case "open":
      return createFinding("agent", "ok", `the agent listens on ${agent.path}`);
    case "unknown":
      return createFinding("agent", "warn", `cannot determine whether the agent listens on ${agent.path}`);
    default: {
      const isCalled = hook_configs.length > 0 || nri_plugins.length > 0;
      const what = agent.state === "absent" ? "does not exist" : "exists, but nothing listens on it";
      const message = `the agent's socket ${agent.path} ${what}: start the agent`;
      const effect = "; until then only containers that the fail check allows can start";
      return createFinding("agent", isCalled ? "fail" : "warn", isCalled ? message + effect : message);
    }
  }
}

function diagnoseCgroups({ cgroups }: NodeFacts): Finding {
  return cgroups === null
    ? createFinding("cgroups", "warn", "no cgroup hierarchy found in /sys/fs/cgroup")
    : createFinding("cgroups", "ok", `cgroups: ${cgroups}`);
}
