// SPDX-License-Identifier: Apache-2.0
// Every path of the container machine is generated from the machine and walked with effects that record their names, by
// XState and by the table. The rules below say what each step must do.
import { describe, expect, test } from "bun:test";
import { type AnyActorLogic, createActor, createMachine, SimulatedClock } from "xstate";
import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths, getSimplePaths } from "xstate/graph";
import { createTableLogic } from "../runners/actor-logic.ts";
import type { ContainerEvent, ContainerInput } from "./container-logic.ts";
import { type ContainerSnapshot, containerMachine } from "./container-machine.ts";
import type { ContainerReport, PodIdentity } from "./domain.ts";

const report: ContainerReport = {
  containerId: "c",
  containerName: "app",
  image: "nginx",
  podUid: "u",
  podNamespace: "shop",
  podName: "web-0",
  podLabels: undefined,
  source: "hook",
  cgroupsPath: "/c",
  cgroup: undefined,
  answerByMs: Number.POSITIVE_INFINITY,
  seenAtNanos: 1n,
  arrivedMs: undefined,
};
const pod: PodIdentity = {
  uid: "u",
  namespace: "shop",
  name: "web-0",
  labels: new Map(),
  identitySource: "hook",
  origins: {},
};
const failure = { kind: "bad", message: "so it is" };
const retentionMs = 300_000;
const retentionOver = "xstate.after.failureRetention.container.failed";

const found = (id: bigint, cgroupsPath = "/c"): ContainerEvent => ({
  type: "cgroup.found",
  cgroupsPath,
  cgroup: { path: cgroupsPath, id },
});

const events: Readonly<Record<string, ContainerEvent>> = {
  reported: { type: "container.reported", report, pod },
  "reported, pod unknown": { type: "container.reported", report, pod: undefined },
  "reported at 1": {
    type: "container.reported",
    report: { ...report, cgroup: { path: "/c", id: 1n } },
    pod,
  },
  identified: { type: "pod.identified", pod },
  "identity refused": { type: "identity.refused", failure },
  "found 1": found(1n),
  "found 2": found(2n),
  "found late": found(9n, "/elsewhere"),
  "cgroup refused": { type: "cgroup.refused", cgroupsPath: "/c", failure },
  "cgroup refused late": { type: "cgroup.refused", cgroupsPath: "/elsewhere", failure },
  added: { type: "filter.added" },
  "filter refused": { type: "filter.refused", failure },
  sent: { type: "answer.sent" },
  vanished: { type: "cgroup.vanished" },
  stopped: { type: "container.stopped" },
  discarded: { type: "failure.discarded" },
  "pod deleted": { type: "pod.deleted" },
};
const nameOf = new Map<unknown, string>(Object.entries(events).map(([name, event]) => [event, name]));

type Rule = readonly [to: string, ...effects: string[]];

const look = ["identified", "findCgroup"] as const;
const fail = ["failed", "removeFromFilter", "refuse bad", "recordFailure"] as const;
const end = ["gone", "removeFromFilter", "reportGone", "notifyPod"] as const;

/** By state (with the cgroup id it holds, and whether the pod is known), and event. All else changes nothing. */
const rules: Readonly<Record<string, Rule>> = {
  "seen: reported": look,
  "seen: reported at 1": look,
  "seen: identified": look,
  "seen: identity refused": ["failed, pod unknown", ...fail.slice(1)],
  "identified: reported": look,
  "identified: reported, pod unknown": look,
  "identified: reported at 1": look,
  "identified: found 1": ["placed 1", "addToFilter 1"],
  "identified: found 2": ["placed 2", "addToFilter 2"],
  "identified: cgroup refused": fail,
  "placed 1: added": ["registered 1", "release"],
  "placed 2: added": ["registered 2", "release"],
  "placed 1: filter refused": fail,
  "placed 2: filter refused": fail,
  "registered 1: sent": ["released 1"],
  "registered 2: sent": ["released 2"],
  "released 1: reported": ["verifying 1", "findCgroup"],
  "released 1: reported, pod unknown": ["verifying 1", "findCgroup"],
  "released 1: reported at 1": ["released 1", "releaseAgain"],
  "released 2: reported": ["verifying 2", "findCgroup"],
  "released 2: reported, pod unknown": ["verifying 2", "findCgroup"],
  "released 2: reported at 1": ["verifying 2", "findCgroup"],
  "verifying 1: reported": ["verifying 1", "findCgroup"],
  "verifying 1: reported, pod unknown": ["verifying 1", "findCgroup"],
  "verifying 1: reported at 1": ["verifying 1", "findCgroup"],
  "verifying 2: reported": ["verifying 2", "findCgroup"],
  "verifying 2: reported, pod unknown": ["verifying 2", "findCgroup"],
  "verifying 2: reported at 1": ["verifying 2", "findCgroup"],
  "verifying 1: found 1": ["registered 1", "release"],
  "verifying 1: found 2": ["placed 2", "reportMoved", "removeFromFilter", "addToFilter 2"],
  "verifying 2: found 2": ["registered 2", "release"],
  "verifying 2: found 1": ["placed 1", "reportMoved", "removeFromFilter", "addToFilter 1"],
  "verifying 1: cgroup refused": ["released 1", "refuse bad"],
  "verifying 2: cgroup refused": ["released 2", "refuse bad"],
  "failed: reported": look,
  "failed: reported at 1": look,
  "failed: reported, pod unknown": look,
  "failed, pod unknown: reported": look,
  "failed, pod unknown: reported at 1": look,
  "failed, pod unknown: reported, pod unknown": ["seen"],
  "failed, pod unknown: identified": ["failed"],
  "failed: discarded": end,
  "failed: retention over": end,
};

function findRule(from: string, event: string): Rule {
  if (from !== "gone" && ["vanished", "stopped"].includes(event)) return end;
  // The deletion of its pod ends what has not started, and nothing that runs.
  if (event === "pod deleted" && /^(seen|identified|placed|failed)/.test(from)) return end;
  const rule = rules[`${from}: ${event}`] ?? rules[`${from.replace(", pod unknown", "")}: ${event}`];
  return rule ?? [from];
}

function nameState({ value, context }: Pick<ContainerSnapshot, "value" | "context">): string {
  const id = context.cgroup === undefined || value === "gone" ? "" : ` ${context.cgroup.id}`;
  return `${value}${id}${value === "failed" && context.pod === undefined ? ", pod unknown" : ""}`;
}

/** The machine with effects that record their names. `notifyPod` sends its event, as in the agent, where it is false. */
function record(recordsNotifyPod = true) {
  let effects: string[] = [];
  const note = (text: string) => () => void effects.push(text);
  const machine = containerMachine.provide({
    actions: {
      findCgroup: note("findCgroup"),
      addToFilter: ({ context }) => void effects.push(`addToFilter ${context.cgroup?.id}`),
      removeFromFilter: note("removeFromFilter"),
      release: note("release"),
      releaseAgain: note("releaseAgain"),
      refuse: ({ context }) => void effects.push(`refuse ${context.failure?.kind}`),
      recordFailure: note("recordFailure"),
      reportMoved: note("reportMoved"),
      reportGone: note("reportGone"),
      ...(recordsNotifyPod ? { notifyPod: note("notifyPod") } : {}),
    },
    delays: { failureRetention: retentionMs },
  });
  const take = (): readonly string[] => {
    const taken = effects;
    effects = [];
    return taken;
  };
  return { machine, take };
}

const starts: readonly { readonly name: string; readonly input: ContainerInput }[] = [
  { name: "of a pod that is being looked up", input: { report, pod: undefined } },
  { name: "of a known pod", input: { report, pod } },
];

// The cast: XState raises this event at the end of the delay, and the machine's types do not name it.
const timerEvent = { type: retentionOver } as unknown as ContainerEvent;

const generate = (input: ContainerInput) => ({
  input,
  events: [...Object.values(events), timerEvent],
  serializeState: (snapshot: Pick<ContainerSnapshot, "value" | "context">) =>
    `${nameState(snapshot)} ${snapshot.context.pod === undefined}`,
  serializeEvent: (event: ContainerEvent) => nameOf.get(event) ?? event.type,
});

interface Step {
  readonly event: { readonly type: string };
}

interface Run {
  readonly actor: {
    send(event: ContainerEvent): void;
    getSnapshot(): Pick<ContainerSnapshot, "value" | "context">;
  };
  readonly clock: SimulatedClock;
  take(): readonly string[];
}

const runs = {
  "by XState": (input: ContainerInput): Run => {
    const { machine, take } = record();
    const clock = new SimulatedClock();
    return { actor: createActor(machine, { input, clock }).start(), clock, take };
  },
  "by the table": (input: ContainerInput): Run => {
    const { machine, take } = record();
    const clock = new SimulatedClock();
    return { actor: createActor(createTableLogic(machine), { input, clock }).start(), clock, take };
  },
} as const; // const, so that both are known to be there

function walk(input: ContainerInput, steps: readonly Step[]): void {
  const contexts = walkRun(runs["by XState"](input), input, steps);
  expect(walkRun(runs["by the table"](input), input, steps)).toEqual(contexts);
}

/** Gives the context after each step. */
function walkRun(
  { actor, clock, take }: Run,
  input: ContainerInput,
  steps: readonly Step[],
): readonly unknown[] {
  const contexts: unknown[] = [actor.getSnapshot().context];
  expect(take()).toEqual(input.pod === undefined ? [] : ["findCgroup"]);
  let registered: bigint | undefined;
  for (const { event } of steps) {
    if (event.type === "xstate.init") continue;
    const from = nameState(actor.getSnapshot());
    const known = Object.values(events).find((candidate) => candidate === event);
    if (known === undefined) clock.increment(retentionMs);
    else actor.send(known);
    const name = nameOf.get(event) ?? "retention over";
    const [to, ...effects] = findRule(from, name);
    const happened = take();
    expect({ from, name, effects: happened, to: nameState(actor.getSnapshot()) }).toEqual({
      from,
      name,
      effects,
      to,
    });

    const { cgroup } = actor.getSnapshot().context;
    if (happened.includes("removeFromFilter")) registered = undefined;
    if (name === "added" && from.startsWith("placed")) registered = cgroup?.id;
    // Nobody is let go before the policy filter holds the very id, and nothing stays in it afterwards.
    if (happened.some((effect) => effect.startsWith("release"))) expect(registered).toBe(cgroup?.id ?? -1n);
    if (/^(failed|gone)/.test(to)) expect(registered).toBeUndefined();
    contexts.push(actor.getSnapshot().context);
  }
  return contexts;
}

describe.each(starts)("a container $name", ({ input }) => {
  const { machine } = record();

  test("does on every path what the rules say", () => {
    const paths = getSimplePaths(machine, generate(input));
    expect(paths.length).toBeGreaterThan(100);
    for (const path of paths) walk(input, path.steps);
  });

  test("does what the rules say on every event in every state", () => {
    const options = generate(input);
    const shortest = new Map(
      getShortestPaths(machine, options).map((path) => [options.serializeState(path.state), path.steps]),
    );
    let edges = 0;
    for (const { state, event } of adjacencyMapToArray(getAdjacencyMap(machine, options))) {
      walk(input, [...(shortest.get(options.serializeState(state)) ?? []), { event }]);
      edges++;
    }
    expect(edges).toBeGreaterThan(150);
  });
});

test("every state is reached", () => {
  const reached = starts.flatMap(({ input }) =>
    getShortestPaths(record().machine, generate(input)).map(({ state }) => state.value),
  );
  expect([...new Set<string>(reached)].sort()).toEqual(Object.keys(containerMachine.states).sort());
});

test.each(Object.entries(runs))(
  "%s, a failed container is remembered for the whole retention, unless it is reported again",
  (_, run) => {
    const { actor, clock } = run({ report, pod });
    actor.send({ type: "cgroup.refused", cgroupsPath: "/c", failure });
    clock.increment(retentionMs - 1);
    expect(actor.getSnapshot().value).toBe("failed");
    actor.send({ type: "container.reported", report, pod });
    clock.increment(retentionMs);
    expect(actor.getSnapshot().value).toBe("identified");
    actor.send({ type: "cgroup.refused", cgroupsPath: "/c", failure });
    clock.increment(retentionMs - 1);
    actor.send({ type: "container.reported", report, pod });
    actor.send({ type: "cgroup.refused", cgroupsPath: "/c", failure });
    clock.increment(retentionMs - 1);
    expect(actor.getSnapshot().value).toBe("failed");
    clock.increment(1);
    expect(actor.getSnapshot().value).toBe("gone");
  },
);

describe.each(Object.entries(runs))("%s, a container that runs already", (_, run) => {
  const listed: ContainerReport = { ...report, source: "synchronize", image: "" };

  test("is added like any other", () => {
    const { actor, take } = run({ report: listed, pod });
    actor.send(found(1n));
    actor.send({ type: "filter.added" });
    expect([...take()]).toEqual(["findCgroup", "addToFilter 1", "release"]);
    expect(actor.getSnapshot().context.source).toBe("synchronize");
  });

  test("is not kept as a failure when its cgroup is gone", () => {
    const { actor, take } = run({ report: listed, pod });
    take();
    actor.send({ type: "cgroup.refused", cgroupsPath: "/elsewhere", failure });
    expect(actor.getSnapshot().value).toBe("identified");
    actor.send({ type: "cgroup.refused", cgroupsPath: "/c", failure });
    expect([...take()]).toEqual(["refuse bad", ...end.slice(1)]);
    expect(actor.getSnapshot().value).toBe("gone");
  });

  test("and is on record already, does not change", () => {
    const { actor, take } = run({ report, pod });
    for (const event of [found(1n), { type: "filter.added" }, { type: "answer.sent" }] as const) {
      actor.send(event);
    }
    take();
    const before = actor.getSnapshot().context;
    const again = { ...listed, cgroup: { path: "/c", id: 1n } };
    actor.send({ type: "container.reported", report: again, pod });
    expect([...take()]).toEqual(["releaseAgain"]);
    expect(actor.getSnapshot().context).toEqual(before);
    // With another cgroup it is news.
    const moved = { ...listed, cgroup: { path: "/c", id: 2n } };
    actor.send({ type: "container.reported", report: moved, pod });
    expect([...take()]).toEqual(["findCgroup"]);
    expect(actor.getSnapshot().context.source).toBe("hook");
  });
});

const logics = {
  "by XState": (machine: typeof containerMachine): AnyActorLogic => machine,
  "by the table": (machine: typeof containerMachine): AnyActorLogic => createTableLogic(machine),
} as const; // const, so that both are known to be there

describe.each(Object.entries(logics))("%s", (_, toLogic) => {
  test("an effect that is not provided throws its name", () => {
    const actor = createActor(toLogic(containerMachine), { input: { report, pod } });
    let message = "";
    actor.subscribe({ error: (error) => (message = String(error)) });
    actor.start();
    expect(message).toContain("findCgroup is not provided");
  });

  test("a container that is gone sends the event to its parent, and an inspector gets its states", () => {
    const received: unknown[] = [];
    const { machine } = record(false);
    const parent = createMachine({
      invoke: { id: "child", src: toLogic(machine), input: { report, pod } },
      on: { "container.gone": { actions: ({ event }) => received.push(event) } },
    });
    const seen: string[] = [];
    const actor = createActor(parent, {
      inspect: (inspected) => {
        if (inspected.type !== "@xstate.snapshot" || inspected.actorRef === actor) return;
        if ("value" in inspected.snapshot) seen.push(`${inspected.event.type} → ${inspected.snapshot.value}`);
      },
    });
    actor.start();
    const container = actor.getSnapshot().children["child"];
    for (const event of [found(1n), { type: "filter.added" }, { type: "cgroup.vanished" }]) {
      container?.send(event);
    }
    expect(seen).toEqual([
      "xstate.init → identified",
      "cgroup.found → placed",
      "filter.added → registered",
      "cgroup.vanished → gone",
    ]);
    expect(received).toEqual([{ type: "container.gone", containerId: "c" }]);
    actor.stop();
    expect(container?.getSnapshot().status).toBe("stopped");
  });
});
