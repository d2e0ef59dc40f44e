// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseTracingPolicy, type TracingPolicy } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { combineLoaders } from "./combined-loaders.ts";
import type { LoadState, PartLoader } from "./policy-loader.ts";

function policy(message: string): TracingPolicy {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "web" },
    spec: { kprobes: [{ call: "sys_x", message }] },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}
const name = { name: "web", namespace: "", domain: "grpc" };
const on = { isEnabled: true, enforces: true };
const messageOf = ({ spec }: TracingPolicy): string => spec.kprobes[0]?.message ?? "";

function open() {
  const calls: string[] = [];
  const refusing = new Set<string>();
  const states = new Map<string, LoadState>();
  const settling = Promise.withResolvers<void>();
  const createLoader = (id: string): PartLoader => {
    const attempt = (what: string, given: TracingPolicy) => {
      calls.push(`${id} ${what} ${messageOf(given)}`);
      return refusing.has(id) ? err(`${id} is full`) : ok(undefined);
    };
    return {
      async prepare() {
        calls.push(`${id} prepare`);
        return refusing.has(`${id} prepare`) ? err(`${id} cannot be loaded`) : ok(undefined);
      },
      conclude: () => void calls.push(`${id} conclude`),
      load: (_, given) => attempt("load", given),
      replace: (_, given) => attempt("replace", given),
      configure(_, { isEnabled }) {
        calls.push(`${id} ${isEnabled ? "enable" : "disable"}`);
        return refusing.has(id) ? err(`${id} is full`) : ok(undefined);
      },
      unload: () => void calls.push(`${id} unload`),
      state: () => states.get(id) ?? { kind: "in-force" },
      settled: () => (id === "programs" ? settling.promise : Promise.resolve()),
    };
  };
  const loader = combineLoaders([createLoader("filters"), createLoader("programs")]);
  /** Without those around a change. */
  const changes = () => calls.filter((call) => !/prepare|conclude/.test(call));
  return { loader, calls, changes, refusing, states, settling };
}

test("a policy is loaded by every loader in turn, and unloaded in reverse", async () => {
  const { loader, changes } = open();
  expect(await loader.load(name, policy("v1"), on)).toEqual(ok(undefined));
  loader.unload(name);
  expect(changes()).toEqual(["filters load v1", "programs load v1", "programs unload", "filters unload"]);
});

test("a policy that one loader refuses is unloaded by those before it", async () => {
  const { loader, changes, refusing } = open();
  refusing.add("programs");
  expect(await loader.load(name, policy("v1"), on)).toEqual(err("programs is full"));
  expect(changes()).toEqual(["filters load v1", "programs load v1", "filters unload"]);
});

test("the first loader that refuses decides, and the others are not asked", async () => {
  const { loader, changes, refusing } = open();
  refusing.add("filters").add("programs");
  expect(await loader.load(name, policy("v1"), on)).toEqual(err("filters is full"));
  expect(changes()).toEqual(["filters load v1"]);
});

test("where a new version is refused, every loader has the earlier one again", async () => {
  const { loader, calls, changes, refusing } = open();
  await loader.load(name, policy("v1"), on);
  await loader.replace(name, policy("v2"), on);
  refusing.add("programs");
  calls.length = 0;
  expect(await loader.replace(name, policy("v3"), on)).toEqual(err("programs is full"));
  expect(changes()).toEqual(["filters replace v3", "programs replace v3", "filters replace v2"]);
});

test("where a setting is refused, every loader has the earlier one again", async () => {
  const { loader, calls, changes, refusing } = open();
  await loader.load(name, policy("v1"), { ...on, isEnabled: false });
  calls.length = 0;
  refusing.add("programs");
  expect(await loader.configure(name, on)).toEqual(err("programs is full"));
  expect(changes()).toEqual(["filters enable", "programs enable", "filters disable"]);
});

test("all loaders are prepared before one is called, and concluded afterwards", async () => {
  const { loader, calls } = open();
  await loader.load(name, policy("v1"), on);
  expect(calls).toEqual([
    ...["filters prepare", "programs prepare", "filters load v1", "programs load v1"],
    ...["filters conclude", "programs conclude"],
  ]);
});

test("nothing changes where a loader cannot be prepared", async () => {
  const { loader, calls, refusing } = open();
  refusing.add("programs prepare");
  expect(await loader.load(name, policy("v1"), on)).toEqual(err("programs cannot be loaded"));
  expect(calls).toEqual([
    ...["filters prepare", "programs prepare", "filters conclude", "programs conclude"],
  ]);
});

test.each<{ readonly states: Record<string, LoadState>; readonly expected: LoadState }>([
  { states: {}, expected: { kind: "in-force" } },
  { states: { programs: { kind: "loading" } }, expected: { kind: "loading" } },
  {
    states: { filters: { kind: "loading" }, programs: { kind: "failed", error: "verifier" } },
    expected: { kind: "failed", error: "verifier" },
  },
  {
    states: { filters: { kind: "failed", error: "map" }, programs: { kind: "failed", error: "verifier" } },
    expected: { kind: "failed", error: "map" },
  },
])("the state of $states is $expected", ({ states, expected }) => {
  const opened = open();
  for (const [id, state] of Object.entries(states)) opened.states.set(id, state);
  expect(opened.loader.state(name)).toEqual(expected);
});

test("all loaders have settled before the combination has", async () => {
  const { loader, settling } = open();
  let isSettled = false;
  const settled = loader.settled().then(() => {
    isSettled = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  expect(isSettled).toBeFalse();
  settling.resolve();
  await settled;
});
