// SPDX-License-Identifier: Apache-2.0
// What an inspector gets of each machine is the same by its runner as by XState.
import { describe, expect, test } from "bun:test";
import {
  type AnyActorLogic,
  type AnyEventObject,
  type AnyStateMachine,
  createActor,
  SimulatedClock,
} from "xstate";
import { createHookInvocation, isHookEffect } from "../hook/hook-invocation.ts";
import { hookMachine } from "../hook/hook-machine.ts";
import { findHookPaths, type PathEvent, pathInput } from "../hook/hook-paths.fixture.ts";
import { nriSessionMachine } from "../nri/session-machine.ts";
import { containerMachine } from "../pod/container-machine.ts";
import type { ContainerReport } from "../pod/domain.ts";
import { podMachine } from "../pod/pod-machine.ts";
import { createTableLogic } from "../runners/actor-logic.ts";
import { createInvocation } from "../runners/invocation.ts";
import { readMachineTable } from "../table/read-machine-table.ts";
import { describeInspection, type Inspect } from "./inspection.ts";

/** One line for each inspection event, without those that only XState's own algorithm has. */
function createRecorder() {
  const lines: string[] = [];
  const inspect: Inspect = (inspected) => {
    const { type, actor, machine, what, state } = describeInspection(inspected);
    if (type === "@xstate.microstep" || (type === "@xstate.action" && what.startsWith("xstate."))) return;
    lines.push([machine, actor, type.replace("@xstate.", ""), what, state].join(" ").trimEnd());
  };
  return { lines, inspect };
}

const silence = (machine: AnyStateMachine) =>
  Object.fromEntries(
    Object.entries(machine.implementations.actions)
      .filter(([, action]) => typeof action === "function" && !("type" in action))
      .map(([name]) => [name, () => {}]),
  );

function walkActor(
  logic: AnyActorLogic,
  id: string,
  input: unknown,
  events: readonly { readonly type: string }[],
) {
  const { lines, inspect } = createRecorder();
  const actor = createActor(logic, { id, input, inspect, clock: new SimulatedClock() });
  actor.start();
  for (const event of events) actor.send(event);
  return lines;
}

describe("the hook", () => {
  const walkInvocation = (input: typeof pathInput, events: readonly PathEvent[]) => {
    const { lines, inspect } = createRecorder();
    const hook = createHookInvocation(input, { id: "hook:c1", inspect });
    hook.start(0);
    for (const event of events) hook.send(event, 0);
    return lines;
  };

  test("reports actor, events, effects and states", () => {
    expect(walkInvocation(pathInput, [{ type: "spec.loaded" }, { type: "agent.lost" }])).toEqual([
      "hook hook:c1 actor",
      "hook hook:c1 event xstate.init",
      "hook hook:c1 action load",
      "hook hook:c1 snapshot xstate.init active.loading",
      "hook hook:c1 event spec.loaded",
      "hook hook:c1 action connect",
      "hook hook:c1 snapshot spec.loaded active.reaching.connecting",
      "hook hook:c1 event agent.lost",
      "hook hook:c1 snapshot agent.lost active.reaching.backingOff",
    ]);
  });

  test("reports on every path what an XState actor reports", () => {
    const machine: AnyStateMachine = hookMachine;
    const logic = machine.provide({ actions: silence(machine) });
    for (const input of [pathInput, { ...pathInput, grpcDisabled: true }]) {
      for (const path of findHookPaths(input)) {
        expect(walkInvocation(input, path)).toEqual(walkActor(logic, "hook:c1", input, path));
      }
    }
  });

  test("reads nothing for an inspector without one", () => {
    const table = readMachineTable(hookMachine);
    const states = Object.fromEntries(
      Object.entries(table.states).map(([key, state]) => [
        key,
        {
          ...state,
          get value(): string {
            throw new Error("only an inspector reads the value");
          },
        },
      ]),
    );
    const logic = { reducers: {}, guards: {}, delays: {} };
    const start = (inspect?: Inspect) =>
      createInvocation({ ...table, states }, logic, {}, inspect && { id: "hook", inspect }).start(0);
    expect(start().filter(isHookEffect)).toEqual(["load"]);
    expect(() => start(() => {})).toThrow("only an inspector reads the value");
  });
});

const report: ContainerReport = {
  containerId: "c1",
  containerName: "app",
  image: "nginx",
  podUid: "u",
  podNamespace: "shop",
  podName: "web-0",
  podLabels: undefined,
  source: "hook",
  cgroupsPath: "/c1",
  cgroup: undefined,
  answerByMs: Number.POSITIVE_INFINITY,
  seenAtNanos: 1n,
  arrivedMs: undefined,
};
const found = { type: "cgroup.found", cgroupsPath: "/c1", cgroup: { path: "/c1", id: 1n } };

const silentContainer = containerMachine.provide({
  actions: silence(containerMachine),
  delays: { failureRetention: 1000 },
});
const anyPod: AnyStateMachine = podMachine;

const machines: readonly {
  readonly machine: AnyStateMachine;
  readonly id: string;
  readonly input: unknown;
  readonly events: readonly AnyEventObject[];
  readonly states: readonly string[];
}[] = [
  {
    machine: silentContainer,
    id: "container:c1",
    input: { report, pod: undefined },
    events: [
      { type: "identity.refused", failure: { kind: "bad", message: "" } },
      { type: "container.reported", report, pod: { uid: "u" } },
      found,
      { type: "filter.added" },
      { type: "answer.sent" },
      { type: "cgroup.vanished" },
    ],
    states: ["seen", "failed", "identified", "placed", "registered", "released", "gone"].map(
      (state) => `container container:c1 ${state}`,
    ),
  },
  {
    machine: anyPod.provide({
      actions: silence(podMachine),
      actors: { container: createTableLogic(silentContainer) },
    }),
    id: "u",
    input: { uid: "u", namespace: "shop", name: "web-0", origin: { source: "hook", atNanos: 1n } },
    events: [
      { type: "source.missing" },
      { type: "container.reported", report },
      { type: "container.gone", containerId: "c1" },
    ],
    states: [
      "pod u seen",
      "pod u reported",
      "container container:c1 identified",
      "pod u reported",
      "pod u gone",
    ],
  },
  {
    machine: nriSessionMachine.provide({ actions: silence(nriSessionMachine) }),
    id: "nriSession",
    input: { isLaunched: false },
    events: [
      ...["dialed", "configured", "registered", "synchronized"].map((type) => ({ type })),
      { type: "connection.lost", reason: "gone" },
      { type: "stop" },
    ],
    states: [
      ...["dialing", "registering", "registering", "synchronizing"].map((state) => `handshaking.${state}`),
      "serving",
    ]
      .map((state) => `connected.${state}`)
      .concat("backingOff", "stopped")
      .map((state) => `nriSession nriSession ${state}`),
  },
];

describe.each(machines)("the machine $machine.id", ({ machine, id, input, events, states }) => {
  const lines = walkActor(createTableLogic(machine), id, input, events);

  test("reports its states", () => {
    const snapshots = lines.filter((line) => line.includes(" snapshot ") && !line.includes("xstate.stop"));
    expect(snapshots.map((line) => line.replace(/snapshot \S+ /, ""))).toEqual([...states]);
  });

  test("reports what an XState actor reports", () => {
    expect(lines).toEqual(walkActor(machine, id, input, events));
  });
});
