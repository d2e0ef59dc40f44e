// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { type NodeCapabilities, parseTracingPolicy } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { planPolicy } from "./policy-plan.ts";

const no = err("the kernel is built without them");
const capabilities: NodeCapabilities = {
  ...{ lsm: no, lsmHooks: new Map(), kprobe: no },
  ...{ cgroupProgram: ok(undefined), rawTracepoint: ok(undefined), tracepoint: ok(undefined) },
};

function plan(spec: object) {
  const policy = parseTracingPolicy({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicyNamespaced" },
    ...{ metadata: { name: "a", namespace: "shop" }, spec },
  });
  if (!policy.ok) throw new Error(JSON.stringify(policy.error));
  const digest = (text: string) => text;
  return planPolicy("k8s/shop/a", policy.value, {
    capabilities,
    architecture: "x64",
    digest,
  });
}

const forbid = (path: string, action = "Sigkill") => ({
  matchArgs: [{ index: 0, operator: "Equal", values: [path] }],
  matchActions: [{ action }],
});
const exec = (...selectors: readonly object[]) => ({
  hook: "bprm_check_security",
  args: [{ index: 0, type: "linux_binprm" }],
  selectors,
});
const open = { ...exec(forbid("/etc/shadow")), hook: "file_open", args: [{ index: 0, type: "file" }] };

test("each selector of a hook is a rule, with what holds it on this node", () => {
  const planned = plan({ lsmhooks: [exec(forbid("/a"), forbid("/b", "NoPost")), exec(forbid("/c"))] });
  const rules = planned.ok
    ? planned.value.map((group) => group.map(({ owner, mechanism }) => [owner.key, mechanism]))
    : planned.error;
  expect(rules).toEqual([
    [
      ["k8s/shop/a#lsmhooks.0.0", "killed before its first instruction"],
      ["k8s/shop/a#lsmhooks.0.1", "counted"],
    ],
    [["k8s/shop/a#lsmhooks.1.0", "killed before its first instruction"]],
  ]);
});

test("a rule has the same digest if it does the same, and another one if it does not", () => {
  const digests = (spec: object): readonly string[] => {
    const planned = plan(spec);
    return planned.ok ? planned.value.flat().map(({ owner }) => owner.digest) : [planned.error];
  };
  const [first, second] = digests({ lsmhooks: [exec(forbid("/a"), forbid("/b"))] });
  expect(digests({ lsmhooks: [exec(forbid("/a"), forbid("/c"))] })[0]).toBe(first ?? "");
  expect(digests({ lsmhooks: [exec(forbid("/b"))] })).not.toContain(second);
  expect(digests({ podSelector: {}, lsmhooks: [exec(forbid("/a"))] })).toEqual([first ?? ""]);
  const podSelector = { matchLabels: { app: "web" } };
  expect(digests({ podSelector, lsmhooks: [exec(forbid("/a"))] })).not.toEqual([first ?? ""]);
});

test("what the node lacks is named once, with the first selector that asks for it", () => {
  expect(plan({ lsmhooks: [exec(forbid("/a")), open, open] })).toEqual(
    err(
      "lsmhooks[1].selectors[0]: needs BPF LSM (the kernel is built without them), or a kprobe (the kernel is built without them)",
    ),
  );
});

test("a policy without hooks has no rules", () => {
  expect(plan({ podSelector: {} })).toEqual(ok([]));
});
