// SPDX-License-Identifier: Apache-2.0
// What must never happen to an event: no answer, an answer behind the deadline, an answer that a bug has made.
import { describe, expect, test } from "bun:test";
import { resolveFlags } from "@rthooks/flags";
import { loadFailRules } from "@rthooks/hold";
import { describeInspection } from "@rthooks/machines/inspection";
import type { NriCall } from "@rthooks/nri";
import { ConfigureRequest, Container, PodSandbox } from "@rthooks/proto/nri";
import { createKnownContainers } from "../core/known-containers.ts";
import { createMetrics } from "../core/metrics.ts";
import { pluginFlags } from "../core/plugin-flags.ts";
import { toPluginOptions } from "../core/plugin-options.ts";
import type { Decider } from "./decide-container.ts";
import { createEventHandlers } from "./handle-events.ts";

const options = toPluginOptions({ ...resolveFlags(pluginFlags), mode: "direct" }, [
  "--grpc-timeout",
  "300ms",
]);
if (!options.ok) throw new Error(options.error);
const rules = await loadFailRules(options.value.hookConfig);
if (!rules.ok) throw new Error(rules.error);

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const id = "c".repeat(64);
const container: Container = {
  ...Container.decode(new Uint8Array()),
  id,
  linux: { cgroupsPath: `/kubepods/pod1/${id}` },
};
const pod = (namespace: string): PodSandbox => ({ ...PodSandbox.decode(new Uint8Array()), namespace });
const call = (leftMs: number): NriCall => ({
  receivedAtMs: performance.now(),
  deadlineAtMs: performance.now() + leftMs,
});

const sizes = { podBytes: 100, containerBytes: 1000 };

/** Handlers whose decider is broken in this way. */
async function createBroken(broken: Partial<Decider>) {
  const reported: string[] = [];
  const decider: Decider = {
    options: options.ok ? options.value : never(),
    address: { kind: "unix", path: "/nowhere", text: "unix:///nowhere" },
    rules: rules.ok ? rules.value : never(),
    hookLog: { path: "/log", write: async () => {} },
    log: silent,
    metrics: createMetrics(),
    userAgent: "t",
    clock: {
      monotonicMs: () => performance.now(),
      wallClock: () => ({ seconds: 0, nanos: 0 }),
      sleep: (ms) => Bun.sleep(ms),
    },
    client: () => never(),
    findCgroupPath: () => ({ ok: true, value: "/kubepods/pod1/c" }),
    reportRefused: () => {},
    ...broken,
  };
  const handlers = createEventHandlers({
    known: createKnownContainers(),
    metrics: createMetrics(),
    log: silent,
    reporter: {
      reportAll: () => {},
      reportStopped: (ids) => void reported.push(...ids),
      reportRefused: () => {},
      reportProblem: () => {},
      agentConnected: () => {},
    },
    configure: async () => ({ ok: true, value: { mode: "direct", decider } }),
    findHookRejection: async () => [],
    onConfigured: () => {},
    onSynchronized: () => {},
  });
  await handlers.configure({ ...ConfigureRequest.decode(new Uint8Array()), runtimeName: "containerd" });
  return { handlers, reported };
}

function never(): never {
  throw new Error("boom");
}

const hang = (): Promise<never> => new Promise(() => {});

const breakages: Readonly<Record<string, Partial<Decider>>> = {
  throws: { client: never },
  "never ends": {
    hookLog: { path: "/log", write: hang },
    client: () => ({ ...noClient, openLink: () => never() }),
  },
  "waits for an agent that never says anything": {
    client: () => ({
      ...noClient,
      openLink: () => ({
        response: undefined,
        connect: () => undefined,
        wait: (untilMs) => Bun.sleep(untilMs - performance.now()).then(() => undefined),
        disconnect: () => {},
      }),
    }),
  },
};
const noClient = { call: hang, hasReleased: hang, isConnected: () => false, close: () => {} };

describe.each(Object.entries(breakages))("a decision that %s", (_name, broken) => {
  test("is made by the fail check, before the deadline", async () => {
    const { handlers } = await createBroken(broken);
    const ask = async (namespace: string) => {
      const asked = call(500);
      const answer = await handlers.event(
        { name: "StartContainer", pod: pod(namespace), container, ...sizes },
        asked,
      );
      expect(performance.now()).toBeLessThan(asked.deadlineAtMs);
      return answer;
    };
    expect(await ask("shop")).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("failing container") },
    });
    expect(await ask("kube-system")).toMatchObject({ ok: true });
  });
});

test("those that stop wait until no event is in work", async () => {
  const { handlers } = await createBroken({ hookLog: { path: "/log", write: hang }, client: never });
  await handlers.idle();
  const order: string[] = [];
  const event = Promise.resolve(
    handlers.event({ name: "StartContainer", pod: pod("shop"), container, ...sizes }, call(300)),
  ).then(() => order.push("answered"));
  await handlers.idle().then(() => order.push("idle"));
  await event;
  expect(order.toSorted()).toEqual(["answered", "idle"]);
});

test("a container that ends is told of, one that was removed unseen too, and no other", async () => {
  const { handlers, reported } = await createBroken({});
  await handlers.event({ name: "RemoveContainer", pod: pod("shop"), container, ...sizes }, call(500));
  expect(reported).toEqual([]);
  await handlers.event({ name: "StopContainer", pod: pod("shop"), container, ...sizes }, call(500));
  expect(reported).toEqual([id]);
});

test("an inspector gets the hook machine of each container under the container's id", async () => {
  const states: string[] = [];
  const { handlers } = await createBroken({
    client: () => ({
      ...noClient,
      openLink: () => ({
        response: undefined,
        connect: () => ({ type: "answer.ok" }),
        wait: () => undefined,
        disconnect: () => {},
      }),
    }),
    inspect(inspected) {
      const { machine, actor, state } = describeInspection(inspected);
      if (state !== "") states.push(`${machine} ${actor} ${state}`);
    },
  });
  await handlers.event({ name: "StartContainer", pod: pod("shop"), container, ...sizes }, call(500));
  expect(states).toEqual(
    ["active.loading", "active.reaching.connecting", "succeeded"].map((state) => `hook hook:${id} ${state}`),
  );
});
