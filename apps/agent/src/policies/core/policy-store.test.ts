// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parseTracingPolicy, type TracingPolicy } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import type { FilterStatus } from "../../filter/core/filter-maps.ts";
import { combineLoaders } from "./combined-loaders.ts";
import { createFilterLoader } from "./filter-loader.ts";
import type { PartLoader } from "./policy-loader.ts";
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
  const noting: PartLoader = {
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
  const store = createPolicyStore(combineLoaders([noting]), { ...loader, heldBy: () => "" });
  return { store, keys, fault, statuses, settings };
}
const web = { name: "web", namespace: "", domain: "grpc" };

describe("a policy", () => {
  test("is listed as the kernel has its filters by now", async () => {
    const { store, statuses } = open();
    await store.add("grpc", policy("web"));
    statuses.set("grpc//web", { kind: "loading" });
    expect(store.list("")).toMatchObject([{ state: "loading", error: "" }]);
    statuses.set("grpc//web", { kind: "failed", error: "no memory" });
    expect(store.list("")).toMatchObject([
      { state: "load_error", error: "its filter is not in force: no memory" },
    ]);
    statuses.clear();
    expect(store.list("")).toMatchObject([{ state: "enabled", error: "" }]);
  });

  test("that is added has its filter and is enabled", async () => {
    const { store, keys } = open();
    expect(await store.add("grpc", policy("web"))).toEqual({ ok: true, value: undefined });
    expect(store.list("")).toEqual([
      { ...web, id: 1, state: "enabled", mode: "monitor_only", filterId: 2, heldBy: "", error: "" },
    ]);
    expect(keys).toEqual(["grpc//web"]);
  });

  test("about everything needs no filter", async () => {
    const { store, keys } = open();
    await store.add("grpc", policy("all", kill));
    expect(store.list("")).toMatchObject([{ filterId: 0, mode: "enforce" }]);
    expect(keys).toEqual([]);
  });

  test("is one of its name, namespace and domain", async () => {
    const { store } = open();
    await store.add("grpc", policy("web"));
    expect(await store.add("grpc", policy("web"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("exists already"),
    });
    expect((await store.add("static", policy("web"))).ok).toBe(true);
    expect((await store.add("grpc", policy("web", {}, "shop"))).ok).toBe(true);
    expect(store.list("grpc").length).toBe(2);
    expect(store.domains()).toEqual(["grpc", "k8s", "static"]);
  });

  test("that is deleted leaves nothing; one that is not there is an error", async () => {
    const { store, keys } = open();
    await store.add("grpc", policy("web"));
    expect((await store.remove(web)).ok).toBe(true);
    expect([store.list(""), keys]).toEqual([[], []]);
    expect(await store.remove(web)).toMatchObject({
      ok: false,
      error: 'tracing policy "web" (domain grpc) does not exist',
    });
  });

  test("without a filter says so, and can be added again", async () => {
    const { store } = open(true);
    expect((await store.add("grpc", policy("web"))).ok).toBe(false);
    expect(store.list("")).toMatchObject([
      { state: "load_error", filterId: 0, error: expect.stringContaining("full") },
    ]);
    expect((await store.configure(web, { enable: false })).ok).toBe(false);
    expect((await store.add("grpc", policy("web"))).ok).toBe(false);
    expect(store.list("").length).toBe(1);
  });

  test.each(["sensors", "", "No", "a/b", "x".repeat(64)])("has no domain %j", async (domain) => {
    expect(await open().store.add(domain, policy("web"))).toMatchObject({ ok: false });
  });
});

describe("a policy that is put in place of another", () => {
  test("keeps its number, and gives up a filter that it does not need", async () => {
    const { store, keys } = open();
    await store.put("static", policy("web"));
    expect((await store.put("static", policy("web", kill))).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ id: 1, filterId: 0, mode: "enforce" }]);
    expect(keys).toEqual([]);
  });

  test("leaves the old one in force where not all of its filters can be set", async () => {
    const { store, keys, fault } = open();
    await store.put("static", policy("web", { ...kill, podSelector: {} }));
    fault.room = 2;
    expect(
      (await store.put("static", policy("web", { ...withWorkloads("a", "b"), podSelector: {} }))).ok,
    ).toBe(false);
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

describe("while a policy is loaded", () => {
  /** Each change waits in its loader until `proceed` is called. */
  function openSlow() {
    const calls: string[] = [];
    let gate = Promise.withResolvers<void>();
    const loader: PartLoader = {
      async prepare() {
        calls.push("prepare");
        await gate.promise;
        return ok(undefined);
      },
      conclude: () => {},
      load: () => ok(undefined),
      replace: () => ok(undefined),
      configure: () => ok(undefined),
      unload: () => void calls.push("unload"),
      state: () => ({ kind: "in-force" }),
      settled: () => Promise.resolve(),
    };
    const store = createPolicyStore(combineLoaders([loader]), { filterId: () => 0, heldBy: () => "" });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const proceed = (): void => {
      gate.resolve();
      gate = Promise.withResolvers<void>();
    };
    return { store, calls, turn, proceed, states: () => store.list("").map(({ state }) => state) };
  }

  test("its state says so, also of one that takes the place of another", async () => {
    const { store, turn, proceed, states } = openSlow();
    for (let version = 1; version <= 2; version++) {
      const put = store.put("static", policy("web", kill));
      await turn();
      expect(states()).toEqual(["loading"]);
      proceed();
      await put;
      expect(states()).toEqual(["enabled"]);
    }
  });

  test("other changes wait, and are made in their order", async () => {
    const { store, calls, turn, proceed, states } = openSlow();
    const changes = [
      store.put("static", policy("web", kill)),
      store.remove({ ...web, domain: "static" }),
      store.putNew("static", policy("web", kill), { enable: false }),
      store.putNew("static", policy("web", kill), {}),
    ];
    await turn();
    expect([calls, states()]).toEqual([["prepare"], ["loading"]]);
    proceed();
    await turn();
    expect([calls, states()]).toEqual([["prepare", "unload", "prepare"], ["loading"]]);
    proceed();
    expect((await Promise.all(changes)).every(({ ok }) => ok)).toBe(true);
    expect([calls, states()]).toEqual([["prepare", "unload", "prepare"], ["disabled"]]);
  });
});

describe("a policy's selectors of workloads", () => {
  test("have filters of their own, which come, change and go with it", async () => {
    const { store, keys } = open();
    await store.put("grpc", policy("web", withWorkloads("a", "b")));
    expect(keys).toEqual(["grpc//web#kprobes.0.0", "grpc//web#kprobes.0.1"]);
    expect(store.list("")).toMatchObject([{ filterId: 0, state: "enabled" }]);
    await store.put("grpc", policy("web", { ...withWorkloads("c"), podSelector: {} }));
    expect(keys.toSorted()).toEqual(["grpc//web", "grpc//web#kprobes.0.0"]);
    await store.remove(web);
    expect(keys).toEqual([]);
  });

  test("that do not fit keep the policy from being loaded", async () => {
    const { store, keys, fault } = open();
    fault.room = 2;
    expect((await store.add("grpc", policy("web", { ...withWorkloads("a", "b"), podSelector: {} }))).ok).toBe(
      false,
    );
    expect(store.list("")).toMatchObject([{ state: "load_error", filterId: 0 }]);
    expect(keys).toEqual([]);
  });
});

describe("a policy that cannot be used", () => {
  test("is listed with its error, and goes when it is deleted", async () => {
    const { store } = open();
    const bad = { name: "bad", namespace: "shop", domain: "k8s" };
    await store.reject(bad, "spec: wrong");
    expect(store.list("k8s")).toMatchObject([
      { ...bad, state: "load_error", mode: "unknown", error: "spec: wrong" },
    ]);
    expect((await store.put("k8s", policy("bad", {}, "shop"))).ok).toBe(true);
    expect(store.list("k8s")).toMatchObject([{ state: "enabled", error: "" }]);
    await store.reject(bad, "spec: wrong");
    expect(store.list("k8s")).toMatchObject([
      { state: "enabled", error: expect.stringContaining("a newer version") },
    ]);
    expect((await store.remove(bad)).ok).toBe(true);
  });
});

test("where a name is looked for in the wrong namespace or domain, the error says where it is", async () => {
  const { store } = open();
  for (const namespace of ["shop", undefined]) await store.add("grpc", policy("net", {}, namespace));
  await store.add("k8s", policy("net", {}, "team"));
  const wrong = { name: "net", namespace: "sho", domain: "grpc" };
  for (const done of [await store.configure(wrong, { enable: false }), await store.remove(wrong)]) {
    expect(done).toMatchObject({
      error:
        'tracing policy "sho/net" (domain grpc) does not exist; ' +
        'policies of this name: "shop/net" (domain grpc), "net" (domain grpc), "team/net" (domain k8s)',
    });
  }
  expect(await store.remove({ ...wrong, name: "nett" })).toMatchObject({
    error: 'tracing policy "sho/nett" (domain grpc) does not exist',
  });
});

describe("a policy's configuration", () => {
  test("turns it off and on, once each", async () => {
    const { store } = open();
    await store.add("grpc", policy("web"));
    expect(await store.configure(web, { enable: true })).toMatchObject({
      error: expect.stringContaining("is not disabled"),
    });
    expect((await store.configure(web, { enable: false })).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ state: "disabled" }]);
    expect(await store.configure(web, { enable: false })).toMatchObject({
      error: expect.stringContaining("is not enabled"),
    });
    expect((await store.configure(web, { enable: true })).ok).toBe(true);
  });

  test("sets the mode of one that can enforce; what cannot be done whole is not done", async () => {
    const { store } = open();
    await store.add("grpc", policy("web", { ...kill, podSelector: {} }));
    expect((await store.configure(web, { mode: "monitor", enable: true })).ok).toBe(false);
    expect(store.list("")).toMatchObject([{ mode: "enforce" }]);
    expect((await store.configure(web, { mode: "monitor", enable: false })).ok).toBe(true);
    expect(store.list("")).toMatchObject([{ mode: "monitor", state: "disabled" }]);
    await store.add("grpc", policy("look"));
    expect(await store.configure({ ...web, name: "look" }, { mode: "enforce" })).toMatchObject({
      error: "cannot set policy mode on a policy that is monitor only",
    });
  });

  test("reaches the loader, and is left as it was where the loader refuses it", async () => {
    const { store, fault, settings } = open();
    await store.put("grpc", policy("web", kill), { mode: "monitor", enable: false });
    expect(store.list("")).toMatchObject([{ mode: "monitor", state: "disabled" }]);
    await store.configure(web, { mode: "enforce" });
    expect(settings).toEqual(["false false", "false true"]);
    fault.isFull = true;
    expect(await store.configure(web, { enable: true })).toMatchObject({
      error: 'tracing policy "web" (domain grpc): the map is full',
    });
    expect(store.list("")).toMatchObject([{ mode: "enforce", state: "disabled" }]);
  });
});

describe("a policy whose filters were refused", () => {
  test("is in force once there is room, and not before", async () => {
    const { store, fault, keys } = open();
    fault.room = 1;
    await store.put("static", policy("first"));
    expect((await store.put("k8s", policy("second"))).ok).toBe(false);
    await store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ name: "second", state: "load_error" }]);
    await store.remove({ name: "first", namespace: "", domain: "static" });
    await store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ name: "second", state: "enabled", error: "" }]);
    expect(keys).toHaveLength(1);
  });

  test("gets the version that was put last, also where an older one is in force", async () => {
    const { store, fault } = open();
    fault.room = 2;
    await store.put("static", policy("first"));
    await store.put("k8s", policy("second", withWorkloads("a")));
    await store.put("k8s", policy("second", withWorkloads("a", "b")));
    expect(store.list("k8s")[0]?.error).toContain("a newer version is not used");
    await store.remove({ name: "first", namespace: "", domain: "static" });
    await store.retryRefused();
    expect(store.list("k8s")).toMatchObject([{ state: "enabled", error: "" }]);
  });

  test.each([
    { name: "a call brought it", forget: async () => {}, isCall: true },
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
  ])("is not put again where $name", async ({ forget, isCall }) => {
    const opened = open();
    const { store, fault, keys } = opened;
    fault.room = 1;
    await store.put("static", policy("first"));
    if (isCall) await store.add("k8s", policy("web"));
    else await store.put("k8s", policy("web"));
    await forget(opened);
    await store.remove({ name: "first", namespace: "", domain: "static" });
    await store.retryRefused();
    expect(keys).toEqual([]);
  });
});
