// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parsePodEnvironment } from "@rthooks/oci";
import { toInjectedHook } from "./injected-hook.ts";

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

test("labels that no environment holds are refused in one line", () => {
  const labels = new Map([["app", "x".repeat(140_000)]]);
  expect(toInjectedHook(hook, { ...pod, labels })).toEqual({
    ok: false,
    error: expect.stringMatching(
      /^the labels of pod shop\/web-0 take 14\d{4} bytes; an environment variable holds at most 131072/,
    ),
  });
});
