// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { addHook, removeHook, toNeutralBase } from "./base-spec.ts";
import { toHookEntry } from "./hook-entry.ts";

const entry = toHookEntry(["/opt/tetragon/tetragon-oci-hook"], ["--log-level", "debug"], 15);

function unwrap(result: ReturnType<typeof addHook>): string {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const toText = (json: unknown): string => `${JSON.stringify(json, undefined, 2)}\n`;
const foreign = { path: "/usr/bin/other-hook", args: ["other-hook", "createRuntime"], timeout: 3 };
const ours = { path: "/old/tetragon-oci-hook", args: ["/old/tetragon-oci-hook", "createRuntime"] };

describe("adding the hook", () => {
  test("adds it once to a spec without hooks", () => {
    const text = unwrap(addHook(toText({ ociVersion: "1.2.0" }), entry));
    expect(JSON.parse(text)).toEqual({ ociVersion: "1.2.0", hooks: { createRuntime: [entry] } });
    expect(unwrap(addHook(text, entry))).toBe(text);
  });

  test("keeps other hooks, and the hook's position among them", () => {
    const hooks = { poststop: [foreign], createRuntime: [ours, foreign, ours] };
    const text = unwrap(addHook(toText({ ociVersion: "1.2.0", hooks }), entry));
    expect(JSON.parse(text).hooks).toEqual({ poststop: [foreign], createRuntime: [entry, foreign] });
  });

  test.each([
    {
      name: "with a loader that was not there before",
      command: ["/run/t/ld.so", "--library-path", "/run/t/lib", "/run/t/tetragon-oci-hook"],
    },
    { name: "without the loader that was there before", command: ["/run/t/tetragon-oci-hook"] },
  ])("replaces the earlier entry, $name", ({ command: [first = "", ...rest] }) => {
    const loader = toHookEntry(["/opt/ld.so", "--library-path", "/opt/lib", "/opt/tetragon-oci-hook"], [], 9);
    const before = unwrap(addHook(toText({ ociVersion: "1.2.0" }), loader));
    const next = toHookEntry([first, ...rest], [], 15);
    expect(JSON.parse(unwrap(addHook(before, next))).hooks.createRuntime).toEqual([next]);
  });

  test("a hook with the name in its arguments only is another hook", () => {
    const wrapper = { path: "/bin/audit", args: ["audit", "createRuntime", "/opt/tetragon-oci-hook"] };
    const base = toText({ ociVersion: "1.2.0", hooks: { createRuntime: [wrapper] } });
    expect(JSON.parse(unwrap(addHook(base, entry))).hooks.createRuntime).toEqual([wrapper, entry]);
  });

  test("keeps unknown fields, and every digit of a number", () => {
    const base = `{"ociVersion":"1.2.0","x-new":{"__proto__":[1.0]},"process":{"rlimits":[{"hard":18446744073709551615}]}}`;
    const text = unwrap(addHook(base, entry));
    expect(text).toContain('"hard": 18446744073709551615');
    expect(text.replaceAll(/\s/g, "")).toContain('"x-new":{"__proto__":[1.0]}');
  });
});

describe("removing the hook", () => {
  test.each([
    { name: "the only hook", hooks: undefined },
    { name: "one of several", hooks: { createRuntime: [foreign] } },
    { name: "one beside other stages", hooks: { poststop: [foreign] } },
  ])("undoes adding it: $name", ({ hooks }) => {
    const before = toText({ ociVersion: "1.2.0", ...(hooks === undefined ? {} : { hooks }) });
    expect(unwrap(removeHook(unwrap(addHook(before, entry)), "tetragon-oci-hook"))).toBe(before);
  });

  test("keeps every byte of a spec without the hook", () => {
    const base = `{ "ociVersion":"1.2.0" ,"hooks":{"createRuntime":[]}}`;
    expect(unwrap(removeHook(base, "tetragon-oci-hook"))).toBe(base);
  });
});

test("a base spec from containerd's default does not limit open files to 1,024", () => {
  const printed = toText({ ociVersion: "1.2.0", process: { cwd: "/", rlimits: [{ hard: 1024 }] } });
  expect(JSON.parse(unwrap(toNeutralBase(printed)))).toEqual({ ociVersion: "1.2.0", process: { cwd: "/" } });
});

test.each([
  { name: "text", base: "ociVersion", says: "is not a JSON object" },
  { name: "a list", base: "[]", says: "is not a JSON object" },
  { name: "very deep nesting", base: "[".repeat(500_000), says: "is not a JSON object" },
  { name: "another object", base: "{}", says: "is not an OCI spec: ociVersion is missing" },
  {
    name: "hooks as a list",
    base: `{"ociVersion":"1","hooks":[]}`,
    says: "is not a valid OCI spec: hooks is not an object",
  },
  {
    name: "a stage as an object",
    base: `{"ociVersion":"1","hooks":{"createRuntime":{}}}`,
    says: "is not a valid OCI spec: hooks.createRuntime is not an array",
  },
])("refuses $name", ({ base, says }) => {
  expect(addHook(base, entry)).toEqual({ ok: false, error: says });
  expect(removeHook(base, "tetragon-oci-hook")).toEqual({ ok: false, error: says });
});
