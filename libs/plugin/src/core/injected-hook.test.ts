// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parsePodEnvironment } from "@rthooks/oci";
import { isInjected, toInjectedHook } from "./injected-hook.ts";

const pod = { uid: "u", name: "web-0", namespace: "shop", labels: new Map([["app", "web"]]) };
const hook = {
  command: ["/lib/ld.so", "/opt/hook"] as const, // const: a tuple that is not empty
  localPath: "/host/opt/hook",
  args: ["--grpc-timeout", "5s"],
  timeoutSeconds: 10,
};

test("the hook is called through its loader, with the stage and its own arguments", () => {
  expect(toInjectedHook(hook, pod)).toMatchObject({
    value: {
      path: "/lib/ld.so",
      args: ["/lib/ld.so", "/opt/hook", "createRuntime", "--grpc-timeout", "5s"],
      timeoutSeconds: 10,
    },
  });
});

test("its environment is complete: no variable of the runtime's reaches it", () => {
  const made = toInjectedHook(hook, pod);
  if (!made.ok) throw new Error(made.error);
  expect(made.value.env.map((variable) => variable.split("=")[0])).toEqual([
    "PATH",
    "BUN_JSC_useWarmUpMarkedBlocks",
    "RTHOOKS_POD",
  ]);
  expect(parsePodEnvironment(made.value.env.at(-1)?.replace("RTHOOKS_POD=", "") ?? "")).toEqual({
    ok: true,
    value: { uid: "u", name: "web-0", namespace: "shop", labelsJson: '{"app":"web"}' },
  });
});

test("it is known again among a container's hooks, and no other one is taken for it", () => {
  const made = toInjectedHook(hook, pod);
  if (!made.ok) throw new Error(made.error);
  const { path, args, env } = made.value;
  const has = (...createRuntime: readonly { path: string; args: string[]; env: string[] }[]): boolean =>
    isInjected(hook, { createRuntime });
  expect(has({ path, args, env })).toBe(true);
  expect(has({ path: "/bin/other", args: ["other"], env: [] }, { path, args: [...args, "--x"], env })).toBe(
    true,
  );
  expect(isInjected(hook, undefined)).toBe(false);
  expect(has()).toBe(false);
  // Of a base spec: it does not have the pod.
  expect(has({ path, args, env: [] })).toBe(false);
  // Of another release: another agent.
  expect(has({ path, args: ["/lib/ld.so", "/opt/second/hook", "createRuntime"], env })).toBe(false);
});

test("labels that no environment holds are refused in one line", () => {
  const labels = new Map([["app", "x".repeat(140_000)]]);
  expect(toInjectedHook(hook, { ...pod, labels })).toEqual({
    ok: false,
    error: expect.stringMatching(
      /^the labels of pod shop\/web-0 take 14\d{4} bytes; an environment variable holds at most 131072/,
    ),
  });
});
