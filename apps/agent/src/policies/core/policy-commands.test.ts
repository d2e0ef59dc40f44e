// SPDX-License-Identifier: Apache-2.0
// Which of file and kernel is first, and what an error of either leaves.
import { describe, expect, test } from "bun:test";
import { parseTracingPolicy } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import type { PendingChange } from "./policy-archive.ts";
import { createPolicyCommands } from "./policy-commands.ts";
import type { LoadState } from "./policy-loader.ts";
import { createPolicyStore } from "./policy-store.ts";

const web = { name: "web", namespace: "", domain: "grpc" };

function open() {
  const steps: string[] = [];
  const faults = { save: false, commit: false, remove: false, load: false };
  let state: LoadState = { kind: "in-force" };
  let settling = Promise.withResolvers<void>();
  settling.resolve();
  const attempt = (fault: keyof typeof faults, step: string): Result<void, string> => {
    steps.push(step);
    return faults[fault] ? err(`${fault} failed`) : ok(undefined);
  };
  const stage = (step: string): Result<PendingChange, string> => {
    const staged = attempt("save", step);
    if (!staged.ok) return staged;
    return ok({
      commit: () => attempt("commit", "commit"),
      discard: () => void steps.push("discard"),
    });
  };
  const store = createPolicyStore(
    {
      load: async () => attempt("load", "load"),
      replace: async () => attempt("load", "replace"),
      configure: async () => ok(undefined),
      unload: () => void steps.push("unload"),
      state: () => state,
      settled: () => settling.promise,
    },
    { filterId: () => 2, heldBy: () => "" },
  );
  const silent = (): void => {};
  const commands = createPolicyCommands({
    policies: store,
    archive: {
      save: () => stage("stage"),
      update: () => stage("stage"),
      remove: () => attempt("remove", "remove file"),
    },
    parser: {
      parsePolicy: async () => {
        const parsed = parseTracingPolicy({
          apiVersion: "cilium.io/v1alpha1",
          kind: "TracingPolicy",
          metadata: { name: "web" },
          spec: { kprobes: [{ call: "sys_x", selectors: [{ matchActions: [{ action: "Sigkill" }] }] }] },
        });
        return parsed.ok ? parsed : err("invalid");
      },
    },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  return {
    commands,
    store,
    steps,
    faults,
    states: () => store.list("").map((status) => `${status.state} ${status.mode}`),
    delay: () => {
      settling = Promise.withResolvers<void>();
      return settling;
    },
    setState: (next: LoadState) => {
      state = next;
    },
  };
}

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  return !isDone;
};

describe("adding a policy", () => {
  test("stages its file, loads it, and renames the file", async () => {
    const { commands, steps, states } = open();
    expect(await commands.add("", "")).toEqual(ok(undefined));
    expect(steps).toEqual(["stage", "load", "commit"]);
    expect(states()).toEqual(["enabled enforce"]);
  });

  test("ends when the policy has settled, and not before", async () => {
    const { commands, delay } = open();
    const settling = delay();
    const added = commands.add("", "");
    expect(await isPending(added)).toBeTrue();
    settling.resolve();
    expect(await added).toEqual(ok(undefined));
  });

  test("loads nothing where the file cannot be written", async () => {
    const { commands, steps, states, faults } = open();
    faults.save = true;
    expect(await commands.add("", "")).toEqual(err({ kind: "refused", message: "save failed" }));
    expect([steps, states()]).toEqual([["stage"], []]);
  });

  test("leaves no file where the loader refuses it", async () => {
    const { commands, steps, faults } = open();
    faults.load = true;
    expect(await commands.add("", "")).toMatchObject({ error: { kind: "refused" } });
    expect(steps).toEqual(["stage", "load", "discard"]);
  });

  test("unloads it where the file cannot be renamed", async () => {
    const { commands, steps, states, faults } = open();
    faults.commit = true;
    expect(await commands.add("", "")).toEqual(err({ kind: "refused", message: "commit failed" }));
    expect(steps).toEqual(["stage", "load", "commit", "unload", "remove file"]);
    expect(states()).toEqual([]);
  });

  test("removes it with its file where the kernel refuses it later", async () => {
    const { commands, steps, states, delay, setState } = open();
    const settling = delay();
    const added = commands.add("", "");
    setState({ kind: "failed", error: "no memory" });
    settling.resolve();
    expect(await added).toEqual(err({ kind: "refused", message: "no memory" }));
    expect(steps).toEqual(["stage", "load", "commit", "unload", "remove file"]);
    expect(states()).toEqual([]);
  });
});

test("commands wait for the ones before them", async () => {
  const { commands, steps, delay } = open();
  const settling = delay();
  const added = commands.add("", "");
  expect(await isPending(added)).toBeTrue();
  const removed = commands.remove(web);
  expect(await isPending(removed)).toBeTrue();
  expect(steps).toEqual(["stage", "load", "commit"]);
  settling.resolve();
  expect([await added, await removed]).toEqual([ok(undefined), ok(undefined)]);
  expect(steps).toEqual(["stage", "load", "commit", "remove file", "unload"]);
});

describe("removing a policy", () => {
  test("removes its file first, and ends when the policy has settled", async () => {
    const { commands, steps, delay } = open();
    await commands.add("", "");
    steps.length = 0;
    const settling = delay();
    const removed = commands.remove({ ...web, domain: "" });
    expect(await isPending(removed)).toBeTrue();
    expect(steps).toEqual(["remove file", "unload"]);
    settling.resolve();
    expect(await removed).toEqual(ok(undefined));
  });

  test("changes nothing where the file cannot be removed", async () => {
    const { commands, states, faults } = open();
    await commands.add("", "");
    faults.remove = true;
    expect(await commands.remove(web)).toEqual(err({ kind: "refused", message: "remove failed" }));
    expect(states()).toEqual(["enabled enforce"]);
  });

  test("of an unknown name is an error of its own", async () => {
    const { commands, steps } = open();
    expect(await commands.remove(web)).toMatchObject({ error: { kind: "not-found" } });
    expect(steps).toEqual([]);
  });
});

describe("configuring a policy", () => {
  test("is undone where its file cannot be renamed", async () => {
    const { commands, states, faults } = open();
    await commands.add("", "");
    faults.commit = true;
    expect((await commands.configure(web, { enable: false, mode: "monitor" })).ok).toBeFalse();
    expect(states()).toEqual(["enabled enforce"]);
    faults.commit = false;
    expect(await commands.configure(web, { enable: false, mode: "monitor" })).toEqual(ok(undefined));
    expect(states()).toEqual(["disabled monitor"]);
  });

  test("writes no file for a policy that comes from elsewhere", async () => {
    const { commands, store, steps } = open();
    const parsed = parseTracingPolicy({
      apiVersion: "cilium.io/v1alpha1",
      kind: "TracingPolicy",
      metadata: { name: "web" },
      spec: {},
    });
    if (!parsed.ok) throw new Error("invalid");
    await store.put("static", parsed.value);
    steps.length = 0;
    expect(await commands.configure({ ...web, domain: "static" }, { enable: false })).toEqual(ok(undefined));
    expect(steps).toEqual([]);
  });
});
