// SPDX-License-Identifier: Apache-2.0
// What one field of a policy demands of another.

import type { PolicyProblem, TracingPolicy } from "./parse-tracing-policy.ts";
import type { HookSelector } from "./selector-schema.ts";

const LIST = "list:";

export function checkPolicy({ namespace, spec }: TracingPolicy): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const say = (path: string, message: string): void => void problems.push({ path: `spec.${path}`, message });
  if (namespace !== undefined) {
    if (spec.hostSelector != null) say("hostSelector", "is for a TracingPolicy, not for a namespaced one");
    for (const kind of ["uprobes", "usdts"] as const) {
      if ((spec[kind] ?? []).length > 0) say(kind, "are for a TracingPolicy, not for a namespaced one");
    }
  }
  const lists = new Set((spec.lists ?? []).map(({ name }) => name));
  const checkCall = (path: string, call: string): void => {
    if (call.startsWith(LIST) && !lists.has(call.slice(LIST.length))) {
      say(
        path,
        `there is no list ${JSON.stringify(call.slice(LIST.length))}; there are: ${[...lists].join(", ") || "none"}`,
      );
    }
  };
  for (const kind of ["kprobes", "fentries"] as const) {
    for (const [at, { call }] of (spec[kind] ?? []).entries()) checkCall(`${kind}[${at}].call`, call);
  }
  for (const [at, { calls }] of (spec.enforcers ?? []).entries()) {
    for (const [which, call] of calls.entries()) checkCall(`enforcers[${at}].calls[${which}]`, call);
  }
  const macros = Object.keys(spec.selectorsMacros ?? {});
  for (const { path, selector } of listSelectors({ spec })) {
    for (const [at, name] of (selector.macros ?? []).entries()) {
      if (macros.includes(name)) continue;
      say(
        `${path}.macros[${at}]`,
        `there is no macro ${JSON.stringify(name)}; there are: ${macros.join(", ") || "none"}`,
      );
    }
  }
  for (const [at, { name, value }] of (spec.options ?? []).entries()) {
    const expected = findOptionProblem(name, value);
    if (expected !== undefined) say(`options[${at}].value`, `${JSON.stringify(value)} is not ${expected}`);
  }
  return problems;
}

/** Options that are not known mean nothing, as in the reference. */
function findOptionProblem(name: string, value: string): string | undefined {
  switch (name) {
    case "disable-kprobe-multi":
    case "disable-uprobe-multi":
      return /^(true|false|1|0|t|f)$/i.test(value) ? undefined : "true or false";
    case "override-method":
      return ["fmod-ret", "override-return"].includes(value) ? undefined : "fmod-ret or override-return";
    case "policy-mode":
      return ["enforce", "monitor"].includes(value) ? undefined : "enforce or monitor";
    case "sleepable-preload-size":
      return /^[1-9]\d{0,8}$/.test(value) ? undefined : "a number above 0";
    default:
      return undefined;
  }
}

interface PlacedSelector {
  /** Below spec. */
  readonly path: string;
  readonly selector: HookSelector;
}

/** All selectors of all hooks, in their order. */
export function listSelectors({ spec }: Pick<TracingPolicy, "spec">): readonly PlacedSelector[] {
  const hooks = ["kprobes", "fentries", "tracepoints", "lsmhooks", "uprobes", "usdts"] as const;
  return hooks.flatMap((kind) =>
    (spec[kind] ?? []).flatMap(({ selectors }, at) =>
      (selectors ?? []).map((selector, which) => ({ path: `${kind}[${at}].selectors[${which}]`, selector })),
    ),
  );
}
