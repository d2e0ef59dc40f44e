// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parsePodEnvironment, renderPodEnvironment } from "./pod-environment.ts";

const pod = { uid: "d4e74de2", name: "web-0", namespace: "shop", labels: new Map([["app", 'we"b\n']]) };

test("a pod comes out as it went in, its labels as JSON", () => {
  const { labels, ...names } = pod;
  const text = renderPodEnvironment(pod);
  expect(text.ok ? parsePodEnvironment(text.value.slice("RTHOOKS_POD=".length)) : text).toEqual({
    ok: true,
    value: { ...names, labelsJson: JSON.stringify(Object.fromEntries(labels)) },
  });
});

test("a pod without labels has none", () => {
  const text = renderPodEnvironment({ ...pod, labels: new Map() });
  expect(text.ok && text.value.endsWith('"labels":{}}')).toBe(true);
});

test("labels that the kernel would not pass on are told with their size", () => {
  const labels = new Map([["a", "ä".repeat(65_500)]]);
  const text = renderPodEnvironment({ ...pod, labels });
  expect(text.ok).toBe(false);
  if (!text.ok) expect(text.error).toBeGreaterThan(131_072);
});

describe("what is no pod is refused", () => {
  for (const [name, text] of [
    ["no JSON", "{"],
    ["a number", "1"],
    ["null", "null"],
    ["no uid", '{"name":"a","namespace":"b","labels":{}}'],
    ["no labels", '{"uid":"u","name":"a","namespace":"b"}'],
    ["labels in a text", '{"uid":"u","name":"a","namespace":"b","labels":"x"}'],
  ] as const) {
    test(name, () => expect(parsePodEnvironment(text).ok).toBe(false));
  }
});
