// SPDX-License-Identifier: Apache-2.0
// What may come as a policy: anything. It is a policy, or there are problems with their places, and never an exception.
import { describe, expect, test } from "bun:test";
import { parseTracingPolicy, toPolicyFilter } from "@rthooks/policy";
import fc from "fast-check";

const runs = { numRuns: 3_000, includeErrorInReport: true };

const whole = {
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name: "p" },
  spec: {
    podSelector: {
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "a", operator: "In", values: ["b"] }],
    },
    containerSelector: { matchExpressions: [{ key: "name", operator: "Exists" }] },
    kprobes: [
      {
        call: "sys_write",
        args: [{ index: 0, type: "int" }],
        selectors: [
          {
            matchPIDs: [{ operator: "In", values: [1] }],
            matchArgs: [{ index: 0, operator: "Equal", values: ["1"] }],
            matchActions: [{ action: "Sigkill" }],
            matchWorkloads: { podSelector: { matchLabels: { a: "b" } } },
          },
        ],
      },
    ],
    lists: [{ name: "l", values: ["x"] }],
    options: [{ name: "policy-mode", value: "monitor" }],
    enforcers: [{ calls: ["list:l"] }],
  },
};

/** Every object in the document, by its path. */
function listObjects(
  value: unknown,
  path = "",
): readonly (readonly [path: string, object: Record<string, unknown>])[] {
  if (Array.isArray(value)) return value.flatMap((child, at) => listObjects(child, `${path}[${at}]`));
  if (typeof value !== "object" || value === null) return [];
  const own = { ...value };
  return [
    [path, value as Record<string, unknown>] as const, // any object may be written by key
    ...Object.entries(own).flatMap(([key, child]) =>
      listObjects(child, path === "" ? key : `${path}.${key}`),
    ),
  ];
}

test("any value", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 6 }),
      fc.constantFrom("", "spec", "metadata", "podSelector"),
      (value, where) => {
        const document: unknown =
          where === ""
            ? value
            : where === "podSelector"
              ? { ...whole, spec: { podSelector: value } }
              : { ...whole, [where]: value };
        const parsed = parseTracingPolicy(document);
        if (parsed.ok) toPolicyFilter(parsed.value);
        else {
          expect(parsed.error.length).toBeWithin(1, 21);
          for (const { message } of parsed.error) expect(message).not.toBe("");
        }
      },
    ),
    runs,
  );
});

describe("a good document", () => {
  test("is one", () => expect(parseTracingPolicy(whole)).toMatchObject({ ok: true }));

  // Labels are keys of people's own.
  const isFree = (path: string): boolean => path.endsWith("matchLabels");
  const places = listObjects(whole)
    .map(([path]) => path)
    .filter((path) => !isFree(path));

  test.each(places)("with a field that nobody knows at %j is refused there", (place) => {
    const changed = structuredClone(whole);
    const [, object] = listObjects(changed).find(([path]) => path === place) ?? [];
    if (object === undefined) throw new Error(`no object at ${place}`);
    object["nobodyKnowsMe"] = 1;
    expect(parseTracingPolicy(changed)).toMatchObject({
      ok: false,
      error: [{ path: place === "" ? "nobodyKnowsMe" : `${place}.nobodyKnowsMe` }],
    });
  });

  test("with any value in any place is a policy or has problems there", () => {
    const paths = listObjects(whole).flatMap(([path, object]) =>
      Object.keys(object).map((key) => [path, key] as const),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 3 }), ([path, key], value) => {
        const changed = structuredClone(whole);
        const [, object] = listObjects(changed).find(([other]) => other === path) ?? [];
        if (object !== undefined) object[key] = value;
        const parsed = parseTracingPolicy(changed);
        if (!parsed.ok) expect(parsed.error.length).toBeGreaterThan(0);
      }),
      runs,
    );
  });
});
