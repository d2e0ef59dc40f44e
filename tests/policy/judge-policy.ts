// SPDX-License-Identifier: Apache-2.0
// What a policy comes to on a node, in words.
import {
  chooseMechanism,
  describeMechanisms,
  type Mechanism,
  type NodeCapabilities,
  parseTracingPolicy,
  renderMissing,
  renderProblem,
  toKernelRules,
} from "@rthooks/policy";

const able: NodeCapabilities["kprobe"] = { ok: true, value: undefined };
const unable: NodeCapabilities["kprobe"] = { ok: false, error: "not here" };

const places = ["arg0", "arg1", "arg2", "arg3", "arg4"] as const; // const: facets
const socket = ["source", "sourcePort", "destination", "destinationPort", "protocol", "family"] as const; // const: facets
const lsmHooks: NodeCapabilities["lsmHooks"] = new Map(
  [
    ...[
      "file_open",
      "file_permission",
      "path_mkdir",
      "mmap_file",
      "capable",
      "sb_mount",
      "ptrace_access_check",
    ],
    ...["socket_connect", "socket_sendmsg", "socket_bind", "kernel_module_request", "kernel_read_file"],
  ].map((hook) => [hook, new Set([...places, ...socket])]),
);

const fewer = { cgroupProgram: able, rawTracepoint: able, tracepoint: able };

/** Has no BPF LSM and no kprobes. */
export const smallNode: NodeCapabilities = { ...fewer, lsm: unable, lsmHooks: new Map(), kprobe: unable };
/** Has all programs. */
export const fullNode: NodeCapabilities = { ...fewer, lsm: able, lsmHooks, kprobe: able };

/** What holds the policy, or one line for each selector that cannot be in force. */
export function judgePolicy(document: unknown, node: NodeCapabilities): string | readonly string[] {
  const parsed = parseTracingPolicy(document);
  if (!parsed.ok) return parsed.error.map(renderProblem);
  const mechanisms: Mechanism[] = [];
  const missing: string[] = [];
  for (const { outcomes } of toKernelRules(parsed.value, "x64")) {
    for (const outcome of outcomes) {
      if (outcome.kind === "unsupported") {
        missing.push(renderMissing(outcome.selector, outcome.missing));
        continue;
      }
      const group = outcomes.flatMap((one) => (one.kind === "rule" ? [one.rule] : []));
      const chosen = chooseMechanism(outcome.rule, node, group);
      if (chosen.ok) mechanisms.push(chosen.value.mechanism);
      else missing.push(`${outcome.selector}: ${chosen.error}`);
    }
  }
  return missing.length > 0 ? missing : describeMechanisms(mechanisms);
}
