// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { parseContainerQuery } from "@rthooks/explain";
import { type FoundContainer, findContainers } from "./find-containers.ts";

const one = (containerId: string, name: string, hasEnded = false): FoundContainer => {
  const [namespace = "", pod = "", container = ""] = name.split("/");
  return { containerId, namespace, pod, container, hasEnded };
};
const known = [
  one("aaaa1111", "shop/web-7d9f-x2x4z/app"),
  one("aaaa2222", "shop/web-7d9f-x2x4z/sidecar"),
  one("bbbb1111", "ops/db-0/db", true),
  one("bbbb2222", "ops/db-0/db", true),
  one("cccc1111", "shop/cart-0/app", true),
  one("cccc2222", "shop/cart-0/app"),
  one("dddd1111", "//"),
];

function find(text: string): readonly string[] | string {
  const query = parseContainerQuery(text);
  if (!query.ok) throw new Error(query.error);
  const found = findContainers(query.value, known);
  return found.ok ? found.value.map(({ containerId }) => containerId) : found.error.message;
}

test.each([
  { what: "a whole id", text: "aaaa1111", found: ["aaaa1111"] },
  { what: "the beginning of one id", text: "dddd", found: ["dddd1111"] },
  { what: "a pod: all of its containers", text: "shop/web-7d9f-x2x4z", found: ["aaaa1111", "aaaa2222"] },
  { what: "one container of a pod", text: "shop/web-7d9f-x2x4z/sidecar", found: ["aaaa2222"] },
  { what: "of ended containers with one name the newest", text: "ops/db-0", found: ["bbbb2222"] },
  { what: "one on record before an ended one", text: "shop/cart-0/app", found: ["cccc2222"] },
])("$what", ({ text, found }) => expect(find(text)).toEqual(found));

describe("the error", () => {
  test.each([
    {
      what: "lists the ids with the same beginning",
      text: "aaaa",
      says: 'begins with "aaaa": aaaa1111 (shop/web-7d9f-x2x4z/app), aaaa2222 (shop/web-7d9f-x2x4z/sidecar)',
    },
    { what: "lists similar ids", text: "dddd9", says: "; there is dddd1111" },
    { what: "names pods that the name is a part of", text: "shop/web", says: "there is shop/web-7d9f-x2x4z" },
    { what: "names the pod of another namespace", text: "production-eu/db-0", says: "there is ops/db-0" },
    { what: "names a pod of nearly this name", text: "ops/bd-0", says: "there is ops/db-0" },
    { what: "names the pod's containers", text: "shop/cart-0/web", says: "there is shop/cart-0/app" },
    {
      what: "names the list where nothing is similar",
      text: "zz/completely-different",
      says: "is on record; tetragon status lists",
    },
  ])("$what", ({ text, says }) => {
    const found = find(text);
    expect(found).toContain(says);
    expect(`${found}`.split("\n")).toHaveLength(1);
  });

  test("is bounded", () => {
    const many = Array.from({ length: 1_000 }, (_, n) => one(`ffff${n}`, `shop/web-${n}/app`));
    for (const query of [
      { kind: "id", id: "ffff" },
      { kind: "pod", namespace: "shop", pod: "web", container: undefined },
    ] as const) {
      const found = findContainers(query, many);
      expect(found.ok ? "" : found.error.message).toMatch(/^.{50,500} and 99\d more$/);
    }
  });
});
