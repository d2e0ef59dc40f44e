// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createLogWriter } from "@rthooks/log";
import {
  type Filter,
  type HookPoint,
  matchAll,
  parseTracingPolicy,
  type TracingPolicy,
} from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { createEnforcedContainers } from "./enforced-containers.ts";
import { createEnforcedPolicies, type EnforcedPolicies } from "./enforced-policies.ts";
import { createMemoryKernel, type MemoryKernel } from "./memory-kernel.fixture.ts";
import type { PlannedGroup } from "./policy-plan.ts";
import type { PolicySetting } from "./policy-setting.ts";
import { createRuleMembers, type PlacedContainer } from "./rule-members.ts";
import { createRuleNumbers } from "./rule-numbers.ts";

const web: Filter = {
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", "web"]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector: false,
};
const exec: HookPoint = { kind: "exec" };
const connect: HookPoint = { kind: "connect" };

interface Written {
  readonly hook?: HookPoint;
  readonly filters?: readonly Filter[];
  /** One rule for each. */
  readonly versions: readonly string[];
}

const parsed = parseTracingPolicy({
  ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy" },
  ...{ metadata: { name: "a" }, spec: {} },
});
if (!parsed.ok) throw new Error("the policy of the test");
const policy: TracingPolicy = parsed.value;

/** The groups that the next `put` of a policy plans. */
const plans = new Map<string, readonly Written[] | string>();

const toGroups = (policyKey: string, hooks: readonly Written[]): readonly PlannedGroup[] =>
  hooks.map(({ hook = exec, filters = [], versions }, at) =>
    versions.map((digest, index) => ({
      selector: `lsmhooks[${at}].selectors[${index}]`,
      owner: { key: `${policyKey}#lsmhooks.${at}.${index}`, digest: `${digest}/${index > 0}` },
      mechanism: "counted",
      rule: {
        ...{ hooks: [hook], effects: [], posts: true, rateLimit: undefined },
        filters: { numbers: [], comparisons: [], texts: [], addresses: [] },
      },
      ...{ filters, includesHost: filters.length === 0, notes: [] },
      report: {
        ...{ policyName: policyKey, policyNamespace: "", event: "lsm", hook: digest },
        ...{ hookIndex: at, selectorIndex: index, selectorLabel: "", message: "", tags: [], args: [] },
      },
    })),
  );

const log = createLogWriter(2, "text", "error");

function open(kernel: MemoryKernel) {
  const { maps, hooks } = kernel;
  const members = createRuleMembers(maps.containers());
  const owners = [...maps.owners()].map(([number, { key }]) => [number, key] as const);
  const containers = createEnforcedContainers(maps, members, log);
  const policies = createEnforcedPolicies({
    ...{ maps, hooks, members, numbers: createRuleNumbers(new Map(owners)) },
    async plan(policyKey) {
      const planned = plans.get(policyKey) ?? [];
      return typeof planned === "string" ? err(planned) : ok(toGroups(policyKey, planned));
    },
    onMembersChange: containers.rewrite,
  });
  return { policies, containers };
}

const enforced = { isEnabled: true, enforces: true };
async function put(policies: EnforcedPolicies, key: string, ...hooks: readonly Written[]) {
  plans.set(key, hooks);
  const prepared = await policies.prepare(key, policy, enforced);
  const done = prepared.ok ? policies.put(key, policy, enforced) : prepared;
  policies.conclude(key);
  await policies.settled();
  return done;
}
async function configure(policies: EnforcedPolicies, key: string, setting: PolicySetting) {
  await policies.prepare(key, policy, setting);
  const done = policies.configure(key, setting);
  policies.conclude(key);
  return done;
}

const container = (name: string, app: string, more: Partial<PlacedContainer> = {}): PlacedContainer => ({
  ...{ containerId: name, containerName: name, image: "", cgroupId: BigInt(name.charCodeAt(0)), level: 3 },
  ...{ podUid: name, podName: name, namespace: "shop", labels: new Map([["app", app]]) },
  hasAllLabels: true,
  ...more,
});
const [w, d] = [BigInt("w".charCodeAt(0)), BigInt("d".charCodeAt(0))];

test("a rule is about the containers that its filters match, known before the policy or after", async () => {
  const kernel = createMemoryKernel();
  const { policies, containers } = open(kernel);
  containers.add(container("w", "web"));
  expect(await put(policies, "crd//a", { filters: [web], versions: ["1"] })).toEqual(ok(undefined));
  containers.add(container("d", "db"));
  expect([kernel.inForce(w), kernel.inForce(d)]).toEqual([["crd//a#lsmhooks.0.0"], []]);
  containers.updatePod({ ...container("d", "web"), containerIds: ["d"] });
  containers.updatePod({ ...container("w", "db"), containerIds: ["w"] });
  expect([kernel.inForce(w), kernel.inForce(d)]).toEqual([[], ["crd//a#lsmhooks.0.0"]]);
});

test("a container that is in no pod is under rules that are about the host too", async () => {
  const kernel = createMemoryKernel();
  const { policies, containers } = open(kernel);
  await put(policies, "crd//a", { filters: [web], versions: ["1"] }, { versions: ["1"] });
  containers.add(container("w", "web", { podUid: undefined, podName: "" }));
  expect(kernel.inForce(w)).toEqual(["crd//a#lsmhooks.1.0"]);
});

test("a policy is replaced in one step, and what stays the same stays in force", async () => {
  const kernel = createMemoryKernel();
  const { policies } = open(kernel);
  await put(policies, "crd//a", { versions: ["1", "2"] }, { hook: connect, versions: ["3"] });
  expect(policies.rulesOf("crd//a").map(({ number }) => number)).toEqual([0, 1, 2]);
  kernel.fail("change");
  expect(
    (await put(policies, "crd//a", { versions: ["1", "4"] }, { hook: connect, versions: ["3"] })).ok,
  ).toBe(false);
  expect(policies.rulesOf("crd//a").map(({ number }) => number)).toEqual([0, 1, 2]);
  expect([...kernel.maps.active()]).toEqual([0, 1, 2]);
  await put(policies, "crd//a", { versions: ["1", "4"] }, { hook: connect, versions: ["3"] });
  expect(policies.rulesOf("crd//a").map(({ number }) => number)).toEqual([5, 6, 2]);
  expect([...kernel.maps.active()].toSorted()).toEqual([2, 5, 6]);
});

test("programs are attached before their rules, and detached when no rule needs them", async () => {
  const kernel = createMemoryKernel();
  const { policies } = open(kernel);
  policies.removeUnused();
  kernel.fail("attach");
  expect(await put(policies, "crd//a", { versions: ["1"] })).toEqual(
    err("lsmhooks[0].selectors[0]: refused"),
  );
  await put(policies, "crd//a", { versions: ["1"] }, { hook: connect, versions: ["1"] });
  await put(policies, "crd//b", { versions: ["1"] });
  expect(kernel.programs()).toEqual(['{"kind":"exec"}', '{"kind":"connect"}']);
  policies.remove("crd//a");
  await policies.settled();
  expect(kernel.programs()).toEqual(['{"kind":"exec"}']);
  expect(await policies.end()).toEqual(ok(undefined));
  expect([kernel.programs(), kernel.maps.active().size]).toEqual([[], 1]);
});

test("a rule that cannot be ended is ended later, and its number is not given out before", async () => {
  const kernel = createMemoryKernel();
  const { policies } = open(kernel);
  await put(policies, "crd//a", { versions: ["1"] });
  kernel.fail("change");
  policies.remove("crd//a");
  expect(policies.problem()).toBe("1 rules of ended policies are still in force: out of memory");
  policies.retry();
  expect([kernel.maps.active(), policies.problem()]).toEqual([new Set(), ""]);
});

describe("settings", () => {
  test("a disabled policy has no rules, and has them again when it is enabled", async () => {
    const kernel = createMemoryKernel();
    const { policies, containers } = open(kernel);
    containers.add(container("w", "web"));
    await put(policies, "crd//a", { versions: ["1"] });
    await configure(policies, "crd//a", { isEnabled: false, enforces: true });
    expect([kernel.inForce(w), policies.rulesOf("crd//a")]).toEqual([[], []]);
    await configure(policies, "crd//a", enforced);
    expect(kernel.inForce(w)).toEqual(["crd//a#lsmhooks.0.0"]);
  });
  test("the mode is changed without a moment in which the rule is not in force", async () => {
    const kernel = createMemoryKernel();
    const { policies } = open(kernel);
    await put(policies, "crd//a", { versions: ["1"] });
    kernel.fail("change");
    expect(await configure(policies, "crd//a", { isEnabled: true, enforces: false })).toEqual(ok(undefined));
    expect([kernel.maps.active(), kernel.enforcing()]).toEqual([new Set([0]), []]);
  });
});

describe("an agent after another one", () => {
  const before = async () => {
    const kernel = createMemoryKernel();
    const { policies, containers } = open(kernel);
    containers.add(container("w", "web"));
    await put(policies, "crd//a", { filters: [web], versions: ["1", "2"] });
    await put(policies, "crd//gone", { versions: ["1"] });
    return kernel;
  };
  test("takes over the rules that are the same, with their containers", async () => {
    const kernel = await before();
    kernel.fail("change");
    const { policies } = open(kernel);
    expect(await put(policies, "crd//a", { filters: [web], versions: ["1", "2"] })).toEqual(ok(undefined));
    expect(policies.rulesOf("crd//a").map(({ number }) => number)).toEqual([0, 1]);
    expect(kernel.inForce(w)).toEqual([
      "crd//a#lsmhooks.0.0",
      "crd//a#lsmhooks.0.1",
      "crd//gone#lsmhooks.0.0",
    ]);
  });
  test("keeps a container that it does not know under the next version of a policy", async () => {
    const kernel = await before();
    const { policies } = open(kernel);
    await put(policies, "crd//a", { filters: [web], versions: ["3", "2"] });
    expect(kernel.inForce(w)).toEqual([
      "crd//gone#lsmhooks.0.0",
      "crd//a#lsmhooks.0.0",
      "crd//a#lsmhooks.0.1",
    ]);
  });
  test("keeps rules of others until all policies have been put, and programs too", async () => {
    const kernel = await before();
    const { policies } = open(kernel);
    await put(policies, "crd//a", { hook: connect, filters: [web], versions: ["1", "2"] });
    expect([kernel.inForce(w).length, kernel.programs().length]).toEqual([3, 2]);
    policies.removeUnused();
    await policies.settled();
    expect([kernel.inForce(w).length, kernel.programs().length]).toEqual([2, 1]);
  });
  test("does not take a rule away from a container before it knows all labels of its pod", async () => {
    const kernel = await before();
    const { policies, containers } = open(kernel);
    await put(policies, "crd//a", { filters: [web], versions: ["1", "2"] });
    policies.removeUnused();
    containers.add(container("w", "db", { hasAllLabels: false }));
    expect(kernel.inForce(w).length).toBe(2);
    containers.add(container("w", "db"));
    expect(kernel.inForce(w)).toEqual([]);
  });
  test("knows which containers are left over", async () => {
    const kernel = await before();
    const { containers } = open(kernel);
    expect(containers.inheritedCgroupIds()).toEqual(new Set([w]));
    containers.removeInherited([w, d]);
    expect([...kernel.maps.containers()]).toEqual([]);
  });
});

describe("a container that the map does not take", () => {
  test("is refused before it runs", async () => {
    const kernel = createMemoryKernel();
    const { containers } = open(kernel);
    kernel.fail("putContainer");
    expect(containers.add(container("w", "web"))).toEqual(
      err({ kind: "filter-full", message: "the rules of the container: out of memory" }),
    );
    containers.retry();
    expect(kernel.maps.containers().size).toBe(0);
  });
  test("is put later if it runs", async () => {
    const kernel = createMemoryKernel();
    const { policies, containers } = open(kernel);
    await put(policies, "crd//a", { versions: ["1"] });
    kernel.fail("putContainer");
    expect(containers.add(container("w", "web", { runsAlready: true }))).toEqual(ok(undefined));
    expect(containers.problem()).toBe("container w does not have its rules: out of memory");
    containers.retry();
    expect([kernel.inForce(w), containers.problem()]).toEqual([["crd//a#lsmhooks.0.0"], ""]);
  });
});
