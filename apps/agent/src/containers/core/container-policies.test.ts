// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import { type ContainerPolicies, createContainerPolicies } from "./container-policies.ts";

const web: PlacedContainer = {
  ...{ containerId: "web", containerName: "web", image: "", cgroupId: 5n, level: 3 },
  ...{ podUid: "web", podName: "web", namespace: "shop", labels: new Map(), hasAllLabels: true },
};
const full: Refusal = { kind: "filter-full", message: "full" };

function open() {
  const held = { filter: new Set<string>(), rules: new Set<string>() };
  const refusing = new Set<string>();
  const updates: string[] = [];
  const createPart = (part: keyof typeof held): ContainerPolicies => ({
    add({ containerId }) {
      if (refusing.has(part)) return err(full);
      held[part].add(containerId);
      return ok(undefined);
    },
    remove: (containerId) => void held[part].delete(containerId),
    updatePod: ({ containerIds }) => void updates.push(`${part} ${[...containerIds]}`),
  });
  return {
    held,
    refusing,
    updates,
    both: createContainerPolicies(createPart("filter"), createPart("rules")),
  };
}

test("a container is in both parts, or in none", () => {
  const { held, refusing, both } = open();
  for (const part of ["filter", "rules"] as const) {
    expect(both.add(web)).toEqual(ok(undefined));
    expect([held.filter.size, held.rules.size]).toEqual([1, 1]);
    refusing.add(part);
    expect(both.add(web)).toEqual(err(full));
    expect([held.filter.size, held.rules.size]).toEqual([0, 0]);
    refusing.clear();
  }
});

test("both parts have a change of the pod, and the end", () => {
  const { held, updates, both } = open();
  both.add(web);
  both.updatePod({ ...web, containerIds: ["web", "log"] });
  expect(updates).toEqual(["filter web,log", "rules web,log"]);
  both.remove("web");
  expect([held.filter.size, held.rules.size]).toEqual([0, 0]);
});
