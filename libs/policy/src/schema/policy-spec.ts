// SPDX-License-Identifier: Apache-2.0
// The spec of a tracing policy, of both kinds. Field names, defaults and enums: the CRDs of cilium.io/v1alpha1.

import * as v from "valibot";
import { fentry, kprobe, lsmHook, tracepoint } from "./kernel-hooks.ts";
import { containerSelector, hostSelector, labelSelector } from "./label-selector-schema.ts";
import { policyOption } from "./policy-option.ts";
import { checkReferences } from "./references.ts";
import { flag, nonEmptyText, oneOf, switchedOff, text } from "./scalar.ts";
import { withCelRules } from "./schema-part.ts";
import { selector } from "./selector.ts";
import { listOf, mapOf, requiredListOf, shape } from "./shape.ts";
import { uprobe, usdt } from "./user-hooks.ts";

const list = shape(
  {
    name: nonEmptyText,
    type: v.optional(oneOf(["syscalls", "generated_syscalls", "generated_ftrace"])),
    pattern: v.optional(text),
    values: listOf(text),
    validated: v.optional(flag),
  },
  ({ type, pattern, values }, report) => {
    if (type === undefined || type === "syscalls") return;
    if (values !== undefined && values.length > 0)
      report(["values"], `must be left out: ${type} fills the list`);
    if (type === "generated_ftrace" && (pattern ?? "") === "") {
      report(["pattern"], "is required with type generated_ftrace");
    }
  },
);

const entries = {
  kprobes: listOf(kprobe),
  fentries: listOf(fentry),
  tracepoints: listOf(tracepoint),
  lsmhooks: listOf(lsmHook),
  uprobes: listOf(uprobe),
  usdts: listOf(usdt),
  loader: switchedOff,
  podSelector: labelSelector,
  containerSelector,
  hostSelector,
  nodeSelector: labelSelector,
  lists: listOf(list),
  enforcers: listOf(shape({ calls: requiredListOf(nonEmptyText) }), { count: 1 }),
  options: listOf(policyOption),
  selectorsMacros: mapOf(selector),
};

export const clusterSpec = shape(entries, checkReferences);

export const namespacedSpec = withCelRules(
  shape(entries, (value, report) => {
    checkReferences(value, report);
    if (value.hostSelector === true) report(["hostSelector"], "must be left out: a namespace has no host");
    for (const name of ["uprobes", "usdts"] as const) {
      const hooks = value[name];
      if (hooks !== undefined && hooks.length > 0) {
        report([name], "must be left out: hooks into programs are not confined to a namespace");
      }
    }
  }),
  { rule: "!has(self.hostSelector)", message: "hostSelector must be left out: a namespace has no host" },
  ...["uprobes", "usdts"].map((name) => ({
    rule: `!has(self.${name}) || size(self.${name}) == 0`,
    message: `${name} must be left out: hooks into programs are not confined to a namespace`,
  })),
);

export type TracingPolicySpec = v.InferOutput<typeof clusterSpec>;
