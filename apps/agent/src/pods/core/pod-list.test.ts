// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parseYaml } from "@rthooks/yaml";
import { parsePodList } from "./pod-list.ts";

const pod = (name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "shop", uid: `uid-${name}`, labels: { app: "web" }, ...more },
  spec: { containers: [] },
});
const list = (...items: unknown[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });

describe("what kubectl writes is read", () => {
  test.each([
    { name: "a List", text: list(pod("a"), pod("b")), names: ["a", "b"] },
    { name: "a PodList", text: JSON.stringify({ kind: "PodList", items: [pod("a")] }), names: ["a"] },
    { name: "an empty List", text: list(), names: [] },
    { name: "a single Pod", text: JSON.stringify(pod("a")), names: ["a"] },
    {
      name: "YAML documents",
      text: "---\nkind: Pod\nmetadata: {name: a, namespace: shop, uid: u1}\n---\nkind: Pod\nmetadata: {name: b, namespace: shop, uid: u2}\n...\n",
      names: ["a", "b"],
    },
    {
      name: "a YAML List",
      text: "apiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: a\n    namespace: shop\n    uid: u1\nkind: List\n",
      names: ["a"],
    },
  ] satisfies readonly { name: string; text: string; names: string[] }[])("$name", ({ text, names }) => {
    const pods = parsePodList(text, parseYaml);
    if (!pods.ok) throw new Error(pods.error);
    expect(pods.value.map((found) => found.name)).toEqual([...names]);
  });

  test("with labels", () => {
    const pods = parsePodList(list(pod("a")), parseYaml);
    expect(pods.ok && pods.value[0]).toEqual({
      uid: "uid-a",
      staticPodHash: undefined,
      namespace: "shop",
      name: "a",
      labels: new Map([["app", "web"]]),
      workload: { name: "a", kind: "Pod" },
      containers: [],
    });
  });

  test("without labels", () => {
    const pods = parsePodList(list(pod("a", { labels: null })), parseYaml);
    expect(pods.ok && pods.value[0]?.labels.size).toBe(0);
  });
});

describe("the hash of a static pod is believed to its node only", () => {
  const hash = "0123456789abcdef0123456789abcdef";
  const annotations = { "kubernetes.io/config.mirror": hash };
  test.each([
    {
      name: "mirror made by the node",
      more: { annotations, ownerReferences: [{ kind: "Node" }] },
      expected: hash,
    },
    { name: "no owner", more: { annotations }, expected: undefined },
    {
      name: "another owner",
      more: { annotations, ownerReferences: [{ kind: "ReplicaSet" }] },
      expected: undefined,
    },
    {
      name: "no hash",
      more: { annotations: { "kubernetes.io/config.mirror": "x" }, ownerReferences: [{ kind: "Node" }] },
      expected: undefined,
    },
  ])("$name", ({ more, expected }) => {
    const pods = parsePodList(list(pod("a", more)), parseYaml);
    expect(pods.ok && pods.value[0]?.staticPodHash).toBe(expected);
  });
});

describe("what is wrong is named with its place", () => {
  test.each([
    { name: "empty", text: "", says: "empty" },
    { name: "cut off", text: list(pod("a")).slice(0, -5), says: "line 1, column" },
    { name: "not an object", text: "[1]", says: "kind: expected" },
    { name: "another kind", text: JSON.stringify({ kind: "Deployment" }), says: "kind" },
    {
      name: "a missing uid",
      text: list(pod("a"), pod("b", { uid: undefined })),
      says: "items.1.metadata.uid",
    },
    { name: "an empty name", text: list(pod("")), says: "items.0.metadata.name" },
    {
      name: "labels of another type",
      text: list(pod("a", { labels: { a: 1 } })),
      says: "items.0.metadata.labels.a",
    },
    {
      name: "a second document",
      text: "kind: Pod\nmetadata: {name: a, namespace: b, uid: c}\n---\nkind: Pod\n",
      says: "document 2: metadata",
    },
    { name: "broken YAML", text: "kind: [Pod\n", says: "line 2" },
    { name: "aliases that explode", text: explodingYaml(), says: "alias" },
    { name: "depth without end", text: `kind: ${"[".repeat(100_000)}`, says: "" },
  ])("$name", ({ text, says }) => {
    const pods = parsePodList(text, parseYaml);
    if (pods.ok) throw new Error("it was accepted");
    expect(pods.error).toContain(says);
    expect(pods.error).not.toContain("\n");
  });
});

function explodingYaml(): string {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let i = 1; i < 10; i++)
    text += `a${i}: &a${i} [${Array(10)
      .fill(`*a${i - 1}`)
      .join(",")}]\n`;
  return `kind: List\nitems: []\n${text}`;
}
