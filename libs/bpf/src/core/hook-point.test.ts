// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { HookPoint } from "@rthooks/policy";
import { ok } from "@rthooks/result";
import {
  type DynamicHook,
  findFixedHook,
  findFixedId,
  findFreeId,
  parseDynamicHook,
  renderDynamicHook,
} from "./hook-point.ts";

const hooks: readonly DynamicHook[] = [
  { kind: "function", name: "tcp_connect", args: [{ index: 0, reading: "sock" }] },
  { kind: "function", name: "f", args: [] },
  {
    ...{ kind: "tracepoint", subsystem: "syscalls", event: "sys_enter_write" },
    args: [
      { index: 6, reading: "char_buf", sizeIndex: 7 },
      { index: 5, reading: "skip" },
    ],
  },
];

test.each(hooks.map((hook) => [renderDynamicHook(hook), hook] as const))(
  "%s is read as what was written",
  (text, hook) => {
    expect(parseDynamicHook(text)).toEqual(hook);
  },
);

test.each([
  "",
  "{}",
  "null",
  "[]",
  "7",
  '["function","f"]',
  '["tracepoint","a",[]]',
  '["other","f",[]]',
  '["fun',
])("%j is no hook", (text) => {
  expect(parseDynamicHook(text)).toBeUndefined();
});

test("hooks of which something else is read are different ones", () => {
  const [one] = hooks;
  if (one === undefined) throw new Error("no hook");
  expect(renderDynamicHook({ ...one, args: [{ index: 1, reading: "sock" }] })).not.toBe(
    renderDynamicHook(one),
  );
});

test("other hooks have numbers that do not change", () => {
  const points: readonly HookPoint[] = [
    { kind: "exec" },
    { kind: "connect" },
    { kind: "bind" },
    { kind: "lsm", hook: "file_open" },
  ];
  const ids = points.map((point) => findFixedId(point));
  expect(ids).toEqual([ok(1), ok(2), ok(3), ok(16)]);
  expect([1, 2, 3, 16].map(findFixedHook)).toEqual([...points]);
  expect(findFixedHook(256)).toBeUndefined();
  expect(findFixedId({ kind: "lsm", hook: "no_such_hook" })).toMatchObject({ ok: false });
});

test("a new hook gets the lowest free number, and there is a limit", () => {
  expect(findFreeId(new Set([256, 257, 259]))).toEqual(ok(258));
  const all = new Set(Array.from({ length: 512 }, (_, at) => 256 + at));
  expect(findFreeId(all)).toMatchObject({ ok: false });
});
