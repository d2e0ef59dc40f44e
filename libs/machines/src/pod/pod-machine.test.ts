// SPDX-License-Identifier: Apache-2.0
// Every state of the pod machine is reached by its shortest path, and every two events are tried there, with effects that
// record their names. The rules below say what each step must do. Its containers are real, and their effects send nothing.
import { describe, expect, test } from "bun:test";
import { createActor, type InspectionEvent, type SnapshotFrom } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { createTableLogic } from "../runners/actor-logic.ts";
import { containerMachine } from "./container-machine.ts";
import type { ContainerReport, Origin } from "./domain.ts";
import { type PodEvent, podIsDeleted, toReportConflict, toSourceConflict } from "./pod-logic.ts";
import { podMachine } from "./pod-machine.ts";

const report = (containerId: string, podNamespace: string): PodEvent => {
  const report: ContainerReport = {
    containerId,
    containerName: "app",
    image: "nginx",
    podUid: undefined,
    podNamespace,
    podName: "web-0",
    podLabels: undefined,
    source: "hook",
    cgroupsPath: `/${containerId}`,
    cgroup: undefined,
    answerByMs: Number.POSITIVE_INFINITY,
    seenAtNanos: 1n,
    arrivedMs: undefined,
  };
  return { type: "container.reported", report };
};

const labels = new Map([["app", "web"]]);
const events: Readonly<Record<string, PodEvent>> = {
  "reports a": report("a", "shop"),
  "reports a elsewhere": report("a", "kube-system"),
  "reports a, no namespace": report("a", ""),
  "reports b": report("b", "shop"),
  "a gone": { type: "container.gone", containerId: "a" },
  "b gone": { type: "container.gone", containerId: "b" },
  found: { type: "source.found", pod: { uid: "u", namespace: "shop", name: "web-0", labels } },
  "found elsewhere": { type: "source.found", pod: { uid: "u", namespace: "bank", name: "web-0", labels } },
  missing: { type: "source.missing" },
  unlisted: { type: "source.unlisted" },
  deleted: { type: "source.deleted" },
};
const nameOf = new Map(Object.entries(events).map(([name, event]) => [event, name]));

const names = { uid: "u", namespace: "shop", name: "web-0" };
/** Of the report that starts the pod. */
const origin: Origin = { source: "hook", atNanos: 1n };
const input = { ...names, origin };

const runners = ["by XState", "by the table"] as const; // const: the two words
type Runner = (typeof runners)[number];

/** The machine with effects that record their names, and the events that its containers get. */
function record(runner: Runner = "by XState") {
  let effects: string[] = [];
  const note = (text: string) => () => void effects.push(text);
  const silent = (): void => {};
  const container = containerMachine.provide({
    actions: {
      findCgroup: silent,
      addToFilter: silent,
      removeFromFilter: silent,
      release: silent,
      releaseAgain: silent,
      refuse: silent,
      recordFailure: silent,
      reportMoved: silent,
      reportGone: silent,
      // The walk itself sends container.gone.
      notifyPod: silent,
    },
    delays: { failureRetention: 1_000_000 },
  });
  const machine = podMachine.provide({
    actors: { container: createTableLogic(container) },
    actions: {
      findPod: note("findPod"),
      updateFilter: ({ context }) =>
        void effects.push(`updateFilter ${[...context.identity.labels].join("=")}`),
      refuseForNamespace: (args) => void effects.push(`refuse ${toReportConflict(args).kind}`),
      refuseForDeletion: () => void effects.push(`refuse ${podIsDeleted.kind}`),
      reportConflict: (args) => void effects.push(`report ${toSourceConflict(args).kind}`),
      reportPodGone: note("reportPodGone"),
    },
  });
  const start = (pod: { uid: string | undefined; namespace: string; name: string } = names) => {
    const options = {
      input: { ...pod, origin },
      inspect: (inspected: InspectionEvent): void => {
        if (inspected.type !== "@xstate.event" || isSame(inspected.actorRef, actor)) return;
        const id = "id" in inspected.actorRef ? String(inspected.actorRef.id).replace("container:", "") : "";
        const reported = "pod" in inspected.event ? ` ${describePod(inspected.event["pod"])}` : "";
        if (inspected.event.type !== "xstate.init")
          effects.push(`${id} ← ${inspected.event.type}${reported}`);
        else effects.push(`${id} starts`);
      },
    };
    const actor: PodActor =
      runner === "by XState"
        ? createActor(machine, options)
        : createActor(createTableLogic(machine), options);
    actor.start();
    return actor;
  };
  const take = (): readonly string[] => {
    const taken = effects;
    effects = [];
    return taken;
  };
  return { machine, start, take };
}

function describePod(pod: unknown): string {
  return typeof pod === "object" && pod !== null && "identitySource" in pod
    ? `by ${pod.identitySource}`
    : "unknown";
}

/** What both kinds of actor have. */
interface PodActor {
  getSnapshot(): Snapshot;
  send(event: PodEvent): void;
  start(): unknown;
  stop(): unknown;
}

const isSame = (one: unknown, other: unknown): boolean => one === other;

type Snapshot = Pick<SnapshotFrom<typeof podMachine>, "value" | "context" | "status">;

/** State, containers, namespace and identity source. */
function nameState({ value, context }: Snapshot): string {
  const { namespace, identitySource } = context.identity;
  return `${value} [${[...context.containers.keys()].sort().join("")}] ${namespace} by ${identitySource}`;
}

interface Expected {
  readonly state: string;
  readonly effects: readonly string[];
}

/** What the event must do in the state. */
function expectStep(from: string, event: string): Expected {
  const [state = "", list = "", namespace = "", identitySource = ""] = from.split(/ \[|\] | by /);
  const containers = [...list];
  const to = (next: string, ids: readonly string[], ns = namespace, by = identitySource): string =>
    `${next} [${[...ids].sort().join("")}] ${ns} by ${by}`;
  const tell = (text: string): string[] => containers.map((id) => `${id} ← ${text}`);
  const stay = { state: from, effects: [] };
  /** Without containers there is nothing to wait for. */
  const endOnceEmpty = (next: string, ids: readonly string[], effects: readonly string[]): Expected =>
    ids.length === 0
      ? { state: to("gone", []), effects: ["reportPodGone"] }
      : { state: to(next, ids), effects };
  if (state === "gone") return stay;
  const [verb, id = ""] = event.split(/[ ,]/);
  if (verb === "reports") {
    const reported = event.includes("elsewhere")
      ? "kube-system"
      : event.includes("no namespace")
        ? namespace
        : "shop";
    const isKnown = containers.includes(id);
    if (state === "deleted" && !isKnown) return { state: from, effects: ["refuse pod-gone"] };
    if (state !== "seen" && state !== "deleted" && reported !== namespace)
      return { state: from, effects: ["refuse namespace-conflict"] };
    const by = state === "seen" ? "unknown" : `by ${identitySource}`;
    return isKnown
      ? { state: from, effects: [`${id} ← container.reported ${by}`] }
      : { state: to(state, [...containers, id]), effects: [`${id} starts`] };
  }
  if (id === "gone" && verb !== undefined) {
    const left = containers.filter((container) => container !== verb);
    return ["reported", "unlisted", "deleted"].includes(state)
      ? endOnceEmpty(state, left, [])
      : { state: to(state, left), effects: [] };
  }
  switch (event) {
    case "missing":
      return state === "seen"
        ? { state: to("reported", containers), effects: tell("pod.identified by hook") }
        : stay;
    case "unlisted":
      return state === "confirmed" ? endOnceEmpty("unlisted", containers, []) : stay;
    case "deleted":
      return state === "deleted" ? stay : endOnceEmpty("deleted", containers, tell("pod.deleted"));
  }
  const reported = event === "found" ? "shop" : "bank";
  const isConflict = reported !== namespace;
  const report = isConflict ? ["report namespace-conflict"] : [];
  const confirmed = to("confirmed", containers, reported, "pod-source");
  if (state === "seen") {
    const answer = isConflict ? "identity.refused" : "pod.identified by pod-source";
    return { state: confirmed, effects: [...report, ...tell(answer)] };
  }
  return {
    state: confirmed,
    effects: [...report, "updateFilter app,web", ...tell("pod.identified by pod-source")],
  };
}

const options = {
  input,
  events: Object.values(events),
  serializeState: nameState,
  serializeEvent: (event: PodEvent) => nameOf.get(event) ?? event.type,
};

function walk(steps: readonly { readonly event: PodEvent }[], runner: Runner): void {
  const { start, take } = record(runner);
  const actor = start();
  expect(take()).toEqual(["findPod"]);
  for (const { event } of steps) {
    const name = nameOf.get(event);
    if (name === undefined) continue;
    const from = nameState(actor.getSnapshot());
    actor.send(event);
    const { state, effects } = expectStep(from, name);
    const happened = { state: nameState(actor.getSnapshot()), effects: [...take()].sort() };
    expect({ from, name, ...happened }).toEqual({ from, name, state, effects: [...effects].sort() });
  }
  actor.stop();
}

describe.each(runners)("the pod machine, %s,", (runner) => {
  test("does what the rules say on every two events in every state", () => {
    const { machine } = record();
    const shortest = getShortestPaths(machine, options);
    expect(shortest.length).toBeGreaterThan(30);
    for (const { steps } of shortest) {
      for (const first of Object.values(events)) {
        for (const second of Object.values(events))
          walk([...steps, { event: first }, { event: second }], runner);
      }
    }
  });

  test("reaches every state", () => {
    const reached = getShortestPaths(record().machine, options).map(({ state }) => state.value);
    expect([...new Set<string>(reached)].sort()).toEqual(Object.keys(podMachine.states).sort());
  });
});

test.each(runners)(
  "unknown fields of an identity come from the next hook call, and from the pod source, %s",
  (runner) => {
    const { start } = record(runner);
    const actor = start({ uid: "u", namespace: "", name: "" });
    actor.send({ type: "source.missing" });
    actor.send(report("a", "shop"));
    expect(actor.getSnapshot().context.identity).toMatchObject({
      namespace: "shop",
      name: "web-0",
      identitySource: "hook",
    });
    actor.send({ type: "source.found", pod: { uid: "u", namespace: "shop", name: "web-0", labels } });
    const { identity, containers } = actor.getSnapshot().context;
    expect(identity).toEqual({
      uid: "u",
      namespace: "shop",
      name: "web-0",
      labels,
      identitySource: "pod-source",
      origins: { uid: origin },
    });
    expect(containers.get("a")?.getSnapshot().context.pod).toEqual(identity);
  },
);

test.each(runners)(
  "the UID of a later call becomes the pod's, and the pod source is asked for it, %s",
  (runner) => {
    const { start, take } = record(runner);
    const actor = start({ uid: undefined, namespace: "shop", name: "web-0" });
    actor.send({ type: "source.missing" });
    actor.send(report("a", "shop"));
    take();
    const again = report("a", "shop");
    if (again.type !== "container.reported") throw new Error("not a report");
    actor.send({ ...again, report: { ...again.report, podUid: "u" } });
    expect([...take()]).toEqual([
      "findPod",
      "updateFilter ",
      "a ← pod.identified by hook",
      "a ← container.reported by hook",
    ]);
    expect(actor.getSnapshot().context.identity.uid).toBe("u");
  },
);

test.each(runners)("a static pod keeps the hash of the hook call as its UID, %s", (runner) => {
  const { start } = record(runner);
  const actor = start({ uid: "0123456789abcdef0123456789abcdef", namespace: "shop", name: "web-0" });
  actor.send({ type: "source.found", pod: { uid: "mirror", namespace: "shop", name: "web-0", labels } });
  expect(actor.getSnapshot().context.identity.uid).toBe("0123456789abcdef0123456789abcdef");
});

describe.each(runners)("labels of a container report, %s,", (runner) => {
  const withLabels = (containerId: string, podLabels: ReadonlyMap<string, string>): PodEvent => {
    const event = report(containerId, "shop");
    if (event.type !== "container.reported") throw new Error("not a report");
    return { ...event, report: { ...event.report, podLabels } };
  };
  const older = new Map([["app", "old"]]);

  test("apply before the pod source answers, whose labels then take precedence", () => {
    const { start, take } = record(runner);
    const actor = start();
    actor.send(report("a", "shop"));
    take();
    actor.send(withLabels("b", older));
    expect([...take()].sort()).toEqual(["a ← pod.identified by nri", "b starts"]);
    expect(actor.getSnapshot().context.identity).toMatchObject({ labels: older, identitySource: "nri" });
    actor.send({ type: "source.missing" });
    expect(actor.getSnapshot().context.identity.labels).toEqual(older);
    actor.send({ type: "source.found", pod: { uid: "u", namespace: "shop", name: "web-0", labels } });
    expect(take()).toContain("updateFilter app,web");
    take();
    // The source has every change; the runtime keeps the labels of the sandbox.
    actor.send(withLabels("b", older));
    expect([...take()]).toEqual(["b ← container.reported by pod-source"]);
    expect(actor.getSnapshot().context.identity).toMatchObject({ labels, identitySource: "pod-source" });
  });

  test("identify a container that waits for the pod source", () => {
    const { start, take } = record(runner);
    const actor = start();
    actor.send(report("a", "shop"));
    take();
    actor.send(withLabels("a", older));
    expect(take()[0]).toBe("a ← container.reported by nri");
    expect(actor.getSnapshot().context.containers.get("a")?.getSnapshot().value).toBe("identified");
  });

  test("update the policies of containers on record, once", () => {
    const { start, take } = record(runner);
    const actor = start();
    actor.send({ type: "source.missing" });
    actor.send(report("a", "shop"));
    take();
    actor.send(withLabels("a", older));
    expect([...take()]).toEqual([
      "updateFilter app,old",
      "a ← pod.identified by nri",
      "a ← container.reported by nri",
    ]);
    actor.send(withLabels("a", new Map(older)));
    expect([...take()]).toEqual(["a ← container.reported by nri"]);
    // A new sandbox of the pod.
    actor.send(withLabels("b", labels));
    expect([...take()]).toEqual(["updateFilter app,web", "a ← pod.identified by nri", "b starts"]);
    expect(actor.getSnapshot().context.containers.get("b")?.getSnapshot().context.pod?.labels).toEqual(
      labels,
    );
  });

  test("are refused with another namespace", () => {
    for (const before of [[], [{ type: "source.missing" }]] as const) {
      const { start, take } = record(runner);
      const actor = start({ ...names, namespace: "bank" });
      for (const event of before) actor.send(event);
      take();
      actor.send(withLabels("a", labels));
      expect([...take()]).toEqual(["refuse namespace-conflict"]);
      expect(actor.getSnapshot().context.identity.labels.size).toBe(0);
    }
  });
});
