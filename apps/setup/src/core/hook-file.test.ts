// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { callsProgram, renderHookFile, toTimeoutSeconds } from "./hook-file.ts";

const entry = {
  path: "/opt/t/ld.so",
  args: ["/opt/t/ld.so", "/opt/t/tetragon-oci-hook", "createRuntime"],
  env: [],
  timeout: 15,
};

test("a hook file calls its program and no other", () => {
  const text = renderHookFile(entry);
  expect(JSON.parse(text)).toEqual({
    version: "1.0.0",
    hook: entry,
    when: { always: true },
    stages: ["createRuntime"],
  });
  expect(callsProgram(text, "tetragon-oci-hook")).toBe(true);
  expect(callsProgram(text, "oci-hook")).toBe(false);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '"tetragon-oci-hook"',
  '{"hook": null}',
  '{"hook": {"args": "tetragon-oci-hook"}}',
])("%j calls nothing", (text) => {
  expect(callsProgram(text, "tetragon-oci-hook")).toBe(false);
});

test("the runtime waits longer than the hook, in whole seconds", () => {
  expect(toTimeoutSeconds('{"grpc_timeout": "10s"}')).toBe(15);
  expect(toTimeoutSeconds('{"grpc_timeout": "1m0.5s"}')).toBe(66);
  for (const printed of ["", "{}", "null", '{"grpc_timeout": 10}', '{"grpc_timeout": "soon"}'])
    expect(toTimeoutSeconds(printed)).toBeUndefined();
});
