// SPDX-License-Identifier: Apache-2.0
// Policies in a few words, and what becomes of their selectors.
import { parseTracingPolicy } from "../schema/tracing-policy.ts";
import { renderMissing, type SubjectOutcome } from "./subject-rule.ts";
import { toKernelRules } from "./to-kernel-rules.ts";

export function convert(spec: object, namespace?: string): readonly SubjectOutcome[] {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
    metadata: { name: "a", namespace },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return toKernelRules(parsed.value);
}

/** What becomes of each selector, in short. */
export const summarize = (outcome: SubjectOutcome): unknown => {
  if (outcome.kind === "unsupported") return renderMissing(outcome.selector, outcome.missing);
  return outcome.kind === "rule" ? outcome.rule.subject : outcome.kind;
};

interface Written {
  readonly operator: string;
  readonly values?: readonly string[];
  readonly index?: number;
  readonly args?: readonly number[];
}
export const filter = (operator: string, ...values: readonly string[]): Written => ({ operator, values });
export const at = (index: number, written: Written): Written => ({ ...written, index });
export const select = (...matchArgs: readonly Written[]) => ({ matchArgs });
export const act = (action: string, more: object = {}) => ({ matchActions: [{ action, ...more }] });

export const bprm = [{ index: 0, type: "linux_binprm" }];
export const exec = (...selectors: readonly object[]) => ({
  lsmhooks: [{ hook: "bprm_check_security", args: bprm, selectors }],
});
export const tcp = (...selectors: readonly object[]) => ({
  kprobes: [{ call: "tcp_connect", syscall: false, args: [{ index: 0, type: "sock" }], selectors }],
});
export const socket = (...selectors: readonly object[]) => ({
  kprobes: [
    {
      call: "security_socket_connect",
      syscall: false,
      args: [
        { index: 0, type: "socket" },
        { index: 1, type: "sockaddr" },
      ],
      selectors,
    },
  ],
});

export const sh = { path: "/bin/sh", match: "exact" };
export const usr = { path: "/usr/", match: "prefix" };
export const ofPaths = (...paths: readonly object[]) => ({ kind: "exec", paths, isNegated: false });
export const butPaths = (...paths: readonly object[]) => ({ kind: "exec", paths, isNegated: true });
