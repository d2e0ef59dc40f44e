// SPDX-License-Identifier: Apache-2.0
// What becomes of an event, with every version of the runtime's side.
import { describe, expect, test } from "bun:test";
import { type NriCall, toEventMask } from "@rthooks/nri";
import { encodeMessage } from "../harness/nri-messages.ts";
import { type EventName, nriVersions } from "../harness/nri-versions.ts";
import { PLUGIN_SERVICE, toGoFrames, toTtrpcMessage } from "../harness/nri-wire.ts";
import { fail, ok, startReadyPlugin } from "./memory-plugin.ts";

const pod = {
  id: "p",
  uid: "u",
  name: "web-0",
  namespace: "shop",
  labels: { app: "web" },
  ips: ["10.0.0.1"],
};
const container = {
  id: "c",
  podSandboxId: "p",
  name: "app",
  state: 1,
  env: ["SECRET=1"],
  args: ["serve"],
  mounts: [{ destination: "/data", type: "bind", source: "/srv", options: ["ro"] }],
  linux: { cgroupsPath: "/pods/c" },
  pid: 42,
  createdAt: 1,
};
const podEvents: readonly EventName[] = ["RunPodSandbox", "StopPodSandbox", "RemovePodSandbox"];
const containerEvents: readonly EventName[] = [
  "CreateContainer",
  "PostCreateContainer",
  "StartContainer",
  "PostStartContainer",
  "UpdateContainer",
  "PostUpdateContainer",
  "StopContainer",
  "RemoveContainer",
];

describe.each(nriVersions.map((version) => ({ version })))("NRI $version", ({ version }) => {
  test("every event comes out alike, however it is delivered", async () => {
    const { runtimeSide, events } = await startReadyPlugin({ version });
    for (const event of podEvents) expect((await runtimeSide.sendEvent(event, pod)).outcome).toBe("answered");
    const methods: string[] = [];
    for (const event of containerEvents) {
      const answer = await runtimeSide.sendEvent(event, pod, container);
      expect(answer.outcome).toBe("answered");
      methods.push(answer.method);
    }
    expect(methods.includes("StateChange")).toBe(version !== "0.12");
    expect(events.map(({ name }): string => name)).toEqual([...podEvents, ...containerEvents]);
    expect(events[0]?.container).toBeUndefined();
    const started = events.find(({ name }) => name === "StartContainer");
    expect(started?.pod).toMatchObject({ id: "p", uid: "u", name: "web-0", namespace: "shop" });
    expect(started?.pod.labels.get("app")).toBe("web");
    expect(started?.container).toMatchObject({
      id: "c",
      state: 1,
      pid: 42,
      mounts: [{ destination: "/data", type: "bind", source: "/srv", options: ["ro"] }],
      linux: { cgroupsPath: "/pods/c" },
    });
  });

  test("only the events that were asked for are sent", async () => {
    const configure = () => ok(toEventMask(["StartContainer"]));
    const { runtimeSide, events } = await startReadyPlugin({ version }, { configure });
    expect((await runtimeSide.sendEvent("StartContainer", pod, container)).outcome).toBe("answered");
    expect((await runtimeSide.sendEvent("RunPodSandbox", pod)).outcome).toBe("not-subscribed");
    expect(events).toHaveLength(1);
  });

  for (const size of [10, 4_000, 4_096, 5_000, 100_000, 3_000_000]) {
    test(`an adjustment of ${size} bytes is one that Go's reader takes`, async () => {
      const hook = { path: "/hook", args: ["x".repeat(size)], env: ["A=1"], timeout: { value: 10n } };
      const event = () => ok({ hooks: { createRuntime: [hook] } });
      const { runtimeSide } = await startReadyPlugin({ version }, { event });
      const answer = await runtimeSide.sendEvent("CreateContainer", pod, container);
      expect(answer.outcome).toBe("answered");
      expect(answer.adjust).toEqual({ hooks: { createRuntime: [{ ...hook, timeout: { value: 10 } }] } });
      expect(runtimeSide.peer.closedBecause()).toBeUndefined();
    });
  }

  test("an adjustment that no message holds is an error, and the session goes on", async () => {
    const hook = { path: "x".repeat(5 << 20), args: [], env: [], timeout: undefined };
    const { runtimeSide } = await startReadyPlugin(
      { version },
      { event: () => ok({ hooks: { createRuntime: [hook] } }) },
    );
    expect(await runtimeSide.sendEvent("CreateContainer", pod, container)).toMatchObject({
      outcome: "refused",
      code: 8,
      message: "the answer is larger than 4 MiB",
    });
    expect((await runtimeSide.sendEvent("StopContainer", pod, container)).outcome).toBe("answered");
  });

  test("only the creation of a container is adjusted", async () => {
    const hook = { path: "/hook", args: [], env: [], timeout: undefined };
    const { runtimeSide } = await startReadyPlugin(
      { version },
      { event: () => ok({ hooks: { createRuntime: [hook] } }) },
    );
    await runtimeSide.sendEvent("StartContainer", pod, container);
    expect(runtimeSide.peer.answers.at(-1)?.body).toHaveLength(0);
  });

  for (const [name, event, code, message] of [
    ["refuses", () => fail(7, "not in shop"), 7, "not in shop"],
    ["throws", () => Promise.reject(new Error("a bug")), 13, "StartContainer|StateChange: a bug"],
    ["refuses with code 0", () => fail(0, "no"), 2, "no"],
    ["refuses with a number that is no code", () => fail(1e12, "no"), 2, "no"],
  ] as const) {
    test(`a handler that ${name} keeps the container from starting, and the session goes on`, async () => {
      const answers = [event];
      const { runtimeSide } = await startReadyPlugin(
        { version },
        { event: () => answers.pop()?.() ?? ok(undefined) },
      );
      const answer = await runtimeSide.sendEvent("StartContainer", pod, container);
      expect(answer).toMatchObject({ outcome: "refused", code });
      expect(answer.message).toMatch(new RegExp(message));
      expect((await runtimeSide.sendEvent("StartContainer", pod, container)).outcome).toBe("answered");
    });
  }

  test("UNIMPLEMENTED of a handler's own is asked again as StateChange where every event has a method", async () => {
    const { runtimeSide, events } = await startReadyPlugin(
      { version },
      { event: ({ name }) => (name === "RunPodSandbox" ? fail(12, "no") : ok(undefined)) },
    );
    expect((await runtimeSide.sendEvent("RunPodSandbox", pod)).outcome).toBe("refused");
    expect(events).toHaveLength(version === "0.12" ? 2 : 1);
    const answer = await runtimeSide.sendEvent("StartContainer", pod, container);
    expect(answer).toMatchObject({ outcome: "answered", method: "StateChange" });
  });

  test("an event that did not exist when this was written is answered, and nobody is told", async () => {
    const { runtimeSide, events } = await startReadyPlugin({ version });
    for (const number of [0, 12, 15, 100, -1]) {
      expect((await runtimeSide.sendStateChange(number, pod, container)).kind).toBe("answered");
    }
    expect(events).toHaveLength(0);
    expect(await runtimeSide.peer.call("UpdatePodSandbox", Buffer.alloc(0), 1000)).toMatchObject({
      code: 12,
    });
    expect((await runtimeSide.peer.call("Shutdown", Buffer.alloc(0), 1000)).kind).toBe("answered");
  });

  test("a late answer ends the session on the runtime's side, and is then for nobody", async () => {
    const late = Promise.withResolvers<ReturnType<typeof ok<undefined>>>();
    const { runtimeSide, closedBecause } = await startReadyPlugin(
      { version, requestTimeoutMs: 30 },
      { event: () => late.promise },
    );
    const before = runtimeSide.peer.answers.length;
    expect((await runtimeSide.sendEvent("StartContainer", pod, container)).outcome).toBe("timed-out");
    expect(runtimeSide.peer.closedBecause()).toBe("StartContainer timed out");
    late.resolve(ok(undefined));
    await Bun.sleep(0);
    expect(closedBecause()).toBe("the runtime closed the connection");
    expect(runtimeSide.peer.answers).toHaveLength(before);
  });

  test("answers go out as they come, each once", async () => {
    const handlers = new Map<string, (answer: ReturnType<typeof ok<undefined>>) => void>();
    const { runtimeSide } = await startReadyPlugin(
      { version },
      { event: ({ container: of }) => new Promise((resolve) => void handlers.set(of?.id ?? "", resolve)) },
    );
    const before = runtimeSide.peer.answers.length;
    const order: string[] = [];
    const calls = ["a", "b", "c"].map(async (id) => {
      await runtimeSide.sendEvent("StopContainer", pod, { ...container, id });
      order.push(id);
    });
    await Bun.sleep(0);
    for (const id of ["c", "a", "b"]) handlers.get(id)?.(ok(undefined));
    await Promise.all(calls);
    expect(order).toEqual(["c", "a", "b"]);
    expect(runtimeSide.peer.answers).toHaveLength(before + 3);
  });
});

describe("how long the runtime waits", () => {
  const ask = async (version: "0.6" | "0.8", timeoutNano: number): Promise<number> => {
    let seen: NriCall | undefined;
    const { runtimeSide } = await startReadyPlugin(
      { version, requestTimeoutMs: 700 },
      {
        event(_, call) {
          seen = call;
          return ok(undefined);
        },
      },
    );
    const payload = encodeMessage("EventRequest", { pod, container });
    const request = { service: "nri.pkg.api.v1alpha1.Plugin", method: "StopContainer", payload, timeoutNano };
    const body = encodeMessage("ttrpc.Request", request);
    runtimeSide.peer.sendRaw(toGoFrames(PLUGIN_SERVICE, toTtrpcMessage({ streamId: 101, type: 1, body })));
    await Bun.sleep(0);
    return Math.round((seen?.deadlineAtMs ?? 0) - (seen?.receivedAtMs ?? 0));
  };

  test("is what the request says", async () => expect(await ask("0.8", 300e6)).toBe(300));
  test("else what the configuration says", async () => expect(await ask("0.8", 0)).toBe(700));
  test("else Go's two seconds", async () => expect(await ask("0.6", 0)).toBe(2000));
});
