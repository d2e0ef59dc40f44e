// SPDX-License-Identifier: Apache-2.0
// Random steps of callers, the pod source and the containers, over several runs of the agent: the cgroup of a container that
// runs leaves a policy only after the pod source has reported labels that the policy does not match.
import { expect, test } from "bun:test";
import type { Pod } from "@rthooks/kube";
import { matchAll } from "@rthooks/policy";
import { ok } from "@rthooks/result";
import { type FilterMaps, noFilterMaps } from "../../filter/core/filter-maps.ts";
import { createPolicyFilter } from "../../filter/core/policy-filter.ts";
import { open } from "./lifecycle.fixture.ts";

const allPods = 1;
const selecting = (app: string) => ({
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", app]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector: false,
});
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Mulberry32: the same numbers for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Actual {
  readonly id: string;
  readonly pod: number;
  readonly path: string;
  readonly cgroupId: bigint;
  hasStarted: boolean;
  /** Whether the policy for "web" must have its cgroup. */
  isWeb: boolean;
}

function begin(seed: number) {
  const pick = createRandom(seed);
  const contents = new Map<number, Set<bigint>>();
  const keys = new Map<number, string>();
  const cgroups = new Map<string, bigint>();
  const apps = ["web", "web"];
  const uidOf = (pod: number): string => `${pod}c9f1974-5c46-44c2-b42f-3bbf0e98eef9`;
  const podOf = (pod: number): Pod => ({
    ...{ uid: uidOf(pod), staticPodHash: undefined, namespace: "shop", name: `web-${pod}` },
    ...{ labels: new Map([["app", apps[pod] ?? ""]]), containers: [] },
    workload: { name: `web-${pod}`, kind: "Pod" },
  });
  const containers: readonly Actual[] = [0, 1, 2].map((at) => ({
    ...{
      id: `c${at}`,
      pod: at >> 1,
      path: `/kubepods/pod${uidOf(at >> 1)}/c${at}`,
      cgroupId: BigInt(10 + at),
    },
    ...{ hasStarted: false, isWeb: false },
  }));
  const decoy = `/kubepods/pod${uidOf(0)}/decoy`;
  cgroups.set(decoy, 99n);
  for (const { path, cgroupId } of containers) cgroups.set(path, cgroupId);

  const startAgent = () => {
    const maps: FilterMaps = {
      ...noFilterMaps,
      found: new Map(
        [...contents].map(([id, ids]) => [id, { key: keys.get(id) ?? "", cgroupIds: new Set(ids) }]),
      ),
      putFilter(filterId, key, ids) {
        contents.set(filterId, new Set(ids));
        if (key !== "") keys.set(filterId, key);
        return ok(undefined);
      },
      removeFilter: (filterId) => void contents.delete(filterId),
      add: (filterId, id) => ok(void contents.get(filterId)?.add(id)),
      remove: (filterId, id) => ok(void contents.get(filterId)?.delete(id)),
    };
    const filter = createPolicyFilter(maps, silent);
    if (!filter.ok) throw new Error(filter.error);
    const web = filter.value.putFilter("web", selecting("web"));
    filter.value.removeUnusedFilters();
    return { ...open({ policyFilter: filter.value, cgroups }), webId: web.ok ? web.value : 0 };
  };
  let script = startAgent();

  const call = (container: Actual, cgroupsPath: string, source: string, app: string) =>
    script.report({
      ...{
        containerId: container.id,
        cgroupsPath,
        podUid: uidOf(container.pod),
        podName: `web-${container.pod}`,
      },
      trusted: { podLabels: app === "" ? undefined : JSON.stringify({ app }), source },
    });
  /** The source has reported the pod. Containers that this run of the agent does not have on record stay where they are. */
  const updateExpectation = (pod: number): void => {
    for (const container of containers) {
      if (container.pod !== pod) continue;
      if (apps[pod] !== "web") container.isWeb = false;
      else if (script.lifecycle.has(container.id)) container.isWeb = true;
    }
  };
  const choose = (): Actual => containers[pick(containers.length)] ?? fail();

  const steps: Readonly<Record<string, () => void>> = {
    "a call": () => {
      const container = choose();
      if (call(container, container.path, pick(2) === 0 ? "hook" : "synchronize", "") !== "released") return;
      container.hasStarted = true;
      const known = script.pods.find({ uid: uidOf(container.pod), namespace: "", name: "" });
      if (known !== undefined) updateExpectation(container.pod);
    },
    "a call with old labels": () => {
      const container = choose();
      if (call(container, container.path, "synchronize", "old") === "released") container.hasStarted = true;
    },
    "a call for another cgroup": () => {
      const container = choose();
      if (container.hasStarted && script.lifecycle.has(container.id)) call(container, decoy, "hook", "");
    },
    "a call for another container's cgroup": () => {
      const container = choose();
      const other = choose();
      if (other !== container && script.lifecycle.has(other.id))
        call(container, other.path, "synchronize", "");
    },
    "a call for the child": () => {
      const container = choose();
      if (cgroups.has(`${container.path}/container`))
        call(container, `${container.path}/container`, "hook", "");
    },
    "a child": () => void cgroups.set(`${choose().path}/container`, BigInt(100 + pick(1_000_000))),
    "no child": () => void cgroups.delete(`${choose().path}/container`),
    "a pod": () => {
      const pod = pick(2);
      apps[pod] = pick(3) === 0 ? "db" : "web";
      script.pods.put(podOf(pod));
      updateExpectation(pod);
    },
    "a list": () => {
      const listed = [0, 1].filter(() => pick(2) === 0);
      script.pods.replaceAll(listed.map(podOf));
      for (const pod of listed) updateExpectation(pod);
    },
    "a deletion": () => script.pods.remove(uidOf(pick(2))),
    "a false end": () => {
      const { id, path } = choose();
      script.busy.add(path);
      script.lifecycle.reportStopped([id]);
    },
    "a restart of the agent": () => {
      script.lifecycle.close();
      script = startAgent();
    },
  };
  const names = Object.keys(steps);
  const step = (): string => {
    const name = names[pick(names.length)] ?? "";
    steps[name]?.();
    for (const id of script.lifecycle.containerIds()) script.lifecycle.checkCgroup(id);
    return name;
  };
  const listMissing = (): readonly string[] =>
    containers
      .filter(({ hasStarted }) => hasStarted)
      .flatMap(({ id, cgroupId, isWeb }) => [
        ...(contents.get(allPods)?.has(cgroupId) === true ? [] : [`${id} in no policy`]),
        ...(!isWeb || contents.get(script.webId)?.has(cgroupId) === true ? [] : [`${id} not in web`]),
      ]);
  return { step, listMissing, contents, script: () => script };
}

const fail = (): never => {
  throw new Error("there are containers");
};

test("a cgroup of a container that runs stays in its policies", () => {
  for (let seed = 0; seed < 150; seed++) {
    const { step, listMissing, contents } = begin(seed);
    const done: string[] = [];
    for (let at = 0; at < 30; at++) {
      done.push(step());
      const missing = listMissing();
      if (missing.length > 0) expect({ seed, done, missing }).toEqual({ seed, done, missing: [] });
    }
    expect(contents.get(allPods)?.has(99n)).toBe(false);
  }
}, 60_000);
