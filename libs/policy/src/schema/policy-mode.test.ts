// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type PolicyMode, policyMode } from "./policy-mode.ts";
import { renderProblem } from "./policy-problem.ts";
import { parseTracingPolicy } from "./tracing-policy.ts";

const parse = (spec: object) =>
  parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "a" },
    spec,
  });

const acting = (...actions: readonly string[]): object => ({
  tracepoints: [
    {
      subsystem: "raw_syscalls",
      event: "sys_enter",
      selectors: [{}, { matchActions: actions.map((action) => ({ action })) }],
    },
  ],
});
const mode = (...values: readonly string[]): object => ({
  options: values.map((value) => ({ name: "policy-mode", value })),
});
const enforcers = { enforcers: [{ calls: ["sys_open"] }] };

const rows: readonly (readonly [string, object, PolicyMode])[] = [
  ["no hooks", {}, "monitor_only"],
  ["no actions", acting(), "monitor_only"],
  ["actions that only tell", acting("Post", "NoPost", "GetUrl"), "monitor_only"],
  ["actions on sockets", acting("TrackSock", "UntrackSock", "DnsLookup"), "monitor_only"],
  ["nothing to enforce, whatever is asked", { ...acting("Post"), ...mode("enforce") }, "monitor_only"],
  ["Sigkill", acting("Post", "Sigkill"), "enforce"],
  ["Signal", acting("Signal"), "enforce"],
  ["Override", acting("Override"), "enforce"],
  ["Set", acting("Set"), "enforce"],
  ["NotifyEnforcer", { ...acting("NotifyEnforcer"), ...enforcers }, "enforce"],
  ["cleaning up enforces nothing", acting("CleanupEnforcerNotification"), "monitor_only"],
  ["monitor, asked for", { ...acting("Sigkill"), ...mode("monitor") }, "monitor"],
  ["enforce, asked for", { ...acting("Sigkill"), ...mode("enforce") }, "enforce"],
  ["the last option counts", { ...acting("Sigkill"), ...mode("enforce", "monitor") }, "monitor"],
  [
    "an action of a macro in use",
    {
      kprobes: [{ call: "sys_open", selectors: [{ macros: ["kill"] }] }],
      selectorsMacros: { kill: { matchActions: [{ action: "Sigkill" }] } },
    },
    "enforce",
  ],
  [
    "an action of a macro that nobody uses",
    { selectorsMacros: { kill: { matchActions: [{ action: "Sigkill" }] } } },
    "monitor_only",
  ],
];

describe("the mode with", () => {
  test.each(rows)("%s", (_name, spec, expected) => {
    const parsed = parse(spec);
    expect(parsed.ok ? policyMode(parsed.value) : parsed.error).toBe(expected);
  });
});

const values: readonly (readonly [string, unknown, string | undefined])[] = [
  ["disable-kprobe-multi", "1", undefined],
  ["disable-kprobe-multi", "False", undefined],
  ["disable-kprobe-multi", "yes", 'must be true or false for disable-kprobe-multi, not "yes"'],
  ["disable-kprobe-multi", true, 'must be a string, not true; write "true"'],
  ["disable-uprobe-multi", undefined, 'must be true or false for disable-uprobe-multi, not ""'],
  ["override-method", "fmod-ret", undefined],
  ["override-method", "fmod_ret", 'must be fmod-ret or override-return for override-method, not "fmod_ret"'],
  ["policy-mode", "monitor_only", 'must be enforce or monitor for policy-mode, not "monitor_only"'],
  ["sleepable-preload-size", "4096", undefined],
  ["sleepable-preload-size", "0", 'must be a whole number above 0 for sleepable-preload-size, not "0"'],
  ["sleepable-preload-size", "4k", 'must be a whole number above 0 for sleepable-preload-size, not "4k"'],
];

test.each(values)("the option %s: %p", (name, value, problem) => {
  const parsed = parse({ options: [{ name, value }] });
  const problems = parsed.ok ? [] : parsed.error.map(renderProblem);
  expect(problems).toEqual(problem === undefined ? [] : [`spec.options[0].value: ${problem}`]);
});

test("an unknown option and a long message give warnings", () => {
  const message = `${"a".repeat(255)}é and more`;
  const parsed = parse({
    options: [{ name: "policy-mod", value: "x" }, { name: "other" }],
    kprobes: [{ call: "sys_open", message }],
  });
  expect(parsed.ok ? parsed.value.warnings.map(renderProblem) : parsed.error).toEqual([
    'spec.options[0].name: unknown option "policy-mod" is ignored; did you mean policy-mode?',
    'spec.options[1].name: unknown option "other" is ignored; known: disable-kprobe-multi, disable-uprobe-multi, ' +
      "override-method, policy-mode or sleepable-preload-size",
    "spec.kprobes[0].message: is cut after 256 bytes",
  ]);
  expect(parsed.ok && parsed.value.spec.kprobes[0]?.message).toBe("a".repeat(255));
});
