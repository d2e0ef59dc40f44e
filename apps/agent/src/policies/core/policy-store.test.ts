// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parseTracingPolicy, type TracingPolicy } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import type { FilterStatus } from "../../filter/core/filter-maps.ts";
import { createFilterLoader } from "./filter-loader.ts";
import type { PolicyLoader } from "./policy-loader.ts";
import { createPolicyStore } from "./policy-store.ts";

function policy(
  name: string,
  spec: object = { podSelector: { matchLabels: { app: "web" } } },
  namespace?: string,
): TracingPolicy {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
    metadata: { name, namespace },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}
const kill = { kprobes: [{ call: "sys_x", selectors: [{ matchActions: [{ action: "Sigkill" }] }] }] };

const withWorkloads = (...apps: readonly string[]): object => ({
  kprobes: [
    {
      call: "sys_x",
      selectors: apps.map((app) => ({
        matchWorkloads: { podSelector: { matchLabels: { app } } },
        matchActions: [{ action: "Sigkill" }],
      })),
    },
  ],
});

function open(isFull = false) {
  const keys: string[] = [];
  const fault = { isFull, room: 100 };
  const statuses = new Map<string, FilterStatus>();
  const loader = createFilterLoader({
    putFilter: (key) => {
      if (!keys.includes(key)) {
        if (fault.isFull || keys.length >= fault.room) return err("the map is full");
        keys.push(key);
      }
      return ok(keys.indexOf(key) + 2);
    },
    removeFilter: (key) => {
      if (keys.includes(key)) keys.splice(keys.indexOf(key), 1);
    },
    status: (key) => statuses.get(key) ?? { kind: "in-force" },
    settled: () => Promise.resolve(),
  });
  const settings: string[] = [];
  const note = ({ isEnabled, enforces }: PolicySetting) => settings.push(`${isEnabled} ${enforces}`);
  const noting: PolicyLoader = {
    ...loader,
    load(name, given, setting) {
      note(setting);
      return loader.load(name, given, setting);
    },
    configure(_, setting) {
      note(setting);
      return fault.isFull ? err("the map is full") : ok(undefined);
    },
  };
  const store = createPolicyStore(noting, { ...loader, heldBy: () => "" });
  return { store, keys, fault, statuses, settings };
}
const web = { name: "web", namespace: "", domain: "grpc" };

describe("a policy", () => {
  test("is listed as the kernel has its filters by now", () => {
    const { store, statuses } = open();
    store.add("grpc", policy("web"));
    statuses.set("grpc//web", { kind: "loading" });
    expect(store.list("")).toMatchObject([{ state: "loading", error: "" }]);
    statuses.set("grpc//web", { kind: "failed", error: "no memory" });
    expect(store.list("")).toMatchObject([
      { state: "load_error", error: "its filter is not in force: no memory" },
    ]);
    statuses.clear();
    expect(store.list("")).toMatchObject([{ state: "enabled", error: "" }]);
  });

  test("that is added has its filter and is enabled", () => {
    const { store, keys } = open();
    expect(store.add("grpc", policy("web"))).toEqual({ ok: true, value: undefined });
    expect(store.list("")).toEqual([
      { ...web, id: 1, state: "enabled", mode: "monitor_only", filterId: 2, heldBy: "", error: "" },
    ]);
    expect(keys).toEqual(["grpc//web"]);
  });

  test("about everything needs no filter", () => {
    const { store, keys } = open();
    store.add("grpc", policy("all", kill));
    expect(store.list("")).toMatchObject([{ filterId: 0, mode: "enforce" }]);
    expect(keys).toEqual([]);
  });

  test("is one of its name, namespace and domain", () => {
    const { store } = open();
    store.add("grpc", policy("web"));
    expect(store.add("grpc", policy("web"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("exists already"),
    });
    expect(store.add("static", policy("web")).ok).toBe(true);
    expect(store.add("grpc", policy("web", {}, "shop")).ok).toBe(true);
    expect(store.list("grpc").length).toBe(2);
    expect(store.domains()).toEqual(["grpc", "k8s", "static"]);
  });

  test("that is deleted leaves nothing; one that is not there is an error", () => {
    const { store, keys } = open();
    store.add("grpc", policy("web"));
    expect(store.remove(web).ok).toBe(true);
    expect([store.list(""), keys]).toEqual([[], []]);
    expect(store.remove(web)).toMatchObject({
      ok: false,
      error: 'tracing policy "web" (domain grpc) does not exist',
    });
  });

  test("without a filter says so, and can be added again", () => {
    const { store } = open(true);
    expect(store.add("grpc", policy("web")).ok).toBe(false);
    expect(store.list("")).toMatchObject([
      { state: "load_error", filterId: 0, error: expect.stringContaining("full") },
    ]);
    expect(store.configure(web, { enable: false }).ok).toBe(false);
    expect(store.add("grpc", policy("web")).ok).toBe(false);
    expect(store.list("").length).toBe(1);
  });

  test.each(["sensors", "", "No", "a/b", "x".repeat(64)])("has no domain %j", (domain) => {
    expect(open().store.add(domain, policy("web"))).toMatchObject({ ok: false });
  });
});

describe("a policy that is put in place of another", () => {
  test("keeps its number, and gives up a filter that it does not need", () => {
    const { store, keys } = open();
    store.put("static", policy("web"));
    expect(store.put("static", policy("web", kill)).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ id: 1, filterId: 0, mode: "enforce" }]);
    expect(keys).toEqual([]);
  });

  test("leaves the old one in force where not all of its filters can be set", () => {
    const { store, keys, fault } = open();
    store.put("static", policy("web", { ...kill, podSelector: {} }));
    fault.room = 2;
    expect(store.put("static", policy("web", { ...withWorkloads("a", "b"), podSelector: {} })).ok).toBe(
      false,
    );
    expect(store.list("")).toMatchObject([
      {
        state: "enabled",
        mode: "enforce",
        filterId: 2,
        error: expect.stringContaining("a newer version is not used"),
      },
    ]);
    expect(keys).toEqual(["static//web"]);
  });
});

describe("a policy's selectors of workloads", () => {
  test("have filters of their own, which come, change and go with it", () => {
    const { store, keys } = open();
    store.put("grpc", policy("web", withWorkloads("a", "b")));
    expect(keys).toEqual(["grpc//web#kprobes.0.0", "grpc//web#kprobes.0.1"]);
    expect(store.list("")).toMatchObject([{ filterId: 0, state: "enabled" }]);
    store.put("grpc", policy("web", { ...withWorkloads("c"), podSelector: {} }));
    expect(keys.toSorted()).toEqual(["grpc//web", "grpc//web#kprobes.0.0"]);
    store.remove(web);
    expect(keys).toEqual([]);
  });

  test("that do not fit keep the policy from being loaded", () => {
    const { store, keys, fault } = open();
    fault.room = 2;
    expect(store.add("grpc", policy("web", { ...withWorkloads("a", "b"), podSelector: {} })).ok).toBe(false);
    expect(store.list("")).toMatchObject([{ state: "load_error", filterId: 0 }]);
    expect(keys).toEqual([]);
  });
});

describe("a policy that cannot be used", () => {
  test("is listed with its error, and goes when it is deleted", () => {
    const { store } = open();
    const bad = { name: "bad", namespace: "shop", domain: "k8s" };
    store.reject(bad, "spec: wrong");
    expect(store.list("k8s")).toMatchObject([{ ...bad, state: "load_error", error: "spec: wrong" }]);
    expect(store.put("k8s", policy("bad", {}, "shop")).ok).toBe(true);
    expect(store.list("k8s")).toMatchObject([{ state: "enabled", error: "" }]);
    store.reject(bad, "spec: wrong");
    expect(store.list("k8s")).toMatchObject([
      { state: "enabled", error: expect.stringContaining("a newer version") },
    ]);
    expect(store.remove(bad).ok).toBe(true);
  });
});

test("where a name is looked for in the wrong namespace or domain, the error says where it is", () => {
  const { store } = open();
  for (const namespace of ["shop", undefined]) store.add("grpc", policy("net", {}, namespace));
  store.add("k8s", policy("net", {}, "team"));
  const wrong = { name: "net", namespace: "sho", domain: "grpc" };
  for (const done of [store.configure(wrong, { enable: false }), store.remove(wrong)]) {
    expect(done).toMatchObject({
      error:
        'tracing policy "sho/net" (domain grpc) does not exist; ' +
        'policies of this name: "shop/net" (domain grpc), "net" (domain grpc), "team/net" (domain k8s)',
    });
  }
  expect(store.remove({ ...wrong, name: "nett" })).toMatchObject({
    error: 'tracing policy "sho/nett" (domain grpc) does not exist',
  });
});

describe("a policy's configuration", () => {
  test("turns it off and on, once each", () => {
    const { store } = open();
    store.add("grpc", policy("web"));
    expect(store.configure(web, { enable: true })).toMatchObject({
      error: expect.stringContaining("is not disabled"),
    });
    expect(store.configure(web, { enable: false }).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ state: "disabled" }]);
    expect(store.configure(web, { enable: false })).toMatchObject({
      error: expect.stringContaining("is not enabled"),
    });
    expect(store.configure(web, { enable: true }).ok).toBe(true);
  });

  test("sets the mode of one that can enforce; what cannot be done whole is not done", () => {
    const { store } = open();
    store.add("grpc", policy("web", { ...kill, podSelector: {} }));
    expect(store.configure(web, { mode: "monitor", enable: true }).ok).toBe(false);
    expect(store.list("")).toMatchObject([{ mode: "enforce" }]);
    expect(store.configure(web, { mode: "monitor", enable: false }).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ mode: "monitor", state: "disabled" }]);
    store.add("grpc", policy("look"));
    expect(store.configure({ ...web, name: "look" }, { mode: "enforce" })).toMatchObject({
      error: "cannot set policy mode on a policy that is monitor only",
    });
  });

  test("reaches the loader, and is left as it was where the loader refuses it", () => {
    const { store, fault, settings } = open();
    store.put("grpc", policy("web", kill), { mode: "monitor", enable: false });
    expect(store.list("")).toMatchObject([{ mode: "monitor", state: "disabled" }]);
    store.configure(web, { mode: "enforce" });
    expect(settings).toEqual(["false false", "false true"]);
    fault.isFull = true;
    expect(store.configure(web, { enable: true })).toMatchObject({
      error: 'tracing policy "web" (domain grpc): the map is full',
    });
    expect(store.list("")).toMatchObject([{ mode: "enforce", state: "disabled" }]);
  });
});

describe("a policy whose filters were refused", () => {
  test("is in force once there is room, and not before", () => {
    const { store, fault, keys } = open();
    fault.room = 1;
    store.put("static", policy("first"));
    expect(store.put("k8s", policy("second")).ok).toBe(false);
    store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ name: "second", state: "load_error" }]);
    store.remove({ name: "first", namespace: "", domain: "static" });
    store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ name: "second", state: "enabled", error: "" }]);
    expect(keys).toHaveLength(1);
  });

  test("gets the version that was put last, also where an older one is in force", () => {
    const { store, fault } = open();
    fault.room = 2;
    store.put("static", policy("first"));
    store.put("k8s", policy("second", withWorkloads("a")));
    store.put("k8s", policy("second", withWorkloads("a", "b")));
    expect(store.list("k8s")[0]?.error).toContain("a newer version is not used");
    store.remove({ name: "first", namespace: "", domain: "static" });
    store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ state: "enabled", error: "" }]);
  });

  test.each([
    { name: "a call brought it", forget: () => {}, isCall: true },
    {
      name: "it was removed",
      forget: ({ store }: ReturnType<typeof open>) => store.remove({ ...web, domain: "k8s" }),
      isCall: false,
    },
    {
      name: "it is not for this node any more",
      forget: ({ store }: ReturnType<typeof open>) => store.skip({ ...web, domain: "k8s" }),
      isCall: false,
    },
    {
      name: "a newer version is faulty",
      forget: ({ store }: ReturnType<typeof open>) => store.reject({ ...web, domain: "k8s" }, "faulty"),
      isCall: false,
    },
  ])("is not put again where $name", ({ forget, isCall }) => {
    const opened = open();
    const { store, fault, keys } = opened;
    fault.room = 1;
    store.put("static", policy("first"));
    if (isCall) store.add("k8s", policy("web"));
    else store.put("k8s", policy("web"));
    forget(opened);
    store.remove({ name: "first", namespace: "", domain: "static" });
    store.retryRefused();
    expect(keys).toEqual([]);
  });
});
