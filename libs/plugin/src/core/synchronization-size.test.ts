// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { canAdd, canSynchronize, type NodeSizes, type SynchronizeStyle } from "./synchronization-size.ts";

const MIB = 1 << 20;
const small = (count: number): number[] => Array<number>(count).fill(10 << 10);
const usual: NodeSizes = { pods: Array<number>(110).fill(3 << 10), containers: small(250) };
const empty: NodeSizes = { pods: [3 << 10], containers: [] };

const canAddContainer = (containerBytes: number, node: NodeSizes, style: SynchronizeStyle): boolean =>
  canAdd({ containerBytes, newPodBytes: undefined }, node, style);

/**
 * The runtime's own way (containerd/nri pkg/adaptation/plugin.go, synchronize), with pods and containers in the order
 * in which it happens to list them. Gives why it fails.
 */
function runSynchronize(pods: readonly number[], containers: readonly number[]): string | undefined {
  let [podsLeft, containersLeft] = [pods, containers];
  let [podCount, containerCount] = [pods.length, containers.length];
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  for (let messages = 0; messages < 10_000; messages++) {
    if (podCount > podsLeft.length || containerCount > containersLeft.length) return "panics";
    const bytes = sum(podsLeft.slice(0, podCount)) + sum(containersLeft.slice(0, containerCount));
    if (bytes <= 4 * MIB) {
      if (podsLeft.length === podCount && containersLeft.length === containerCount) return undefined;
      podsLeft = podsLeft.slice(podCount);
      containersLeft = containersLeft.slice(containerCount);
      podCount = Math.min(podCount, podsLeft.length);
      containerCount = Math.min(containerCount, containersLeft.length);
      continue;
    }
    if (podCount + containerCount <= 8) return "cannot be cut";
    const factor = Math.min((4 * MIB) / bytes, 0.9);
    podCount = Math.floor(podCount * factor);
    containerCount = Math.floor(containerCount * factor);
    if (podCount + containerCount < 8) [podCount, containerCount] = [4, 4];
  }
  return "never ends";
}

/** Numbers from 0 to 1, the same in each run (Numerical Recipes' generator). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("a runtime that sends parts", () => {
  test("can describe every node of which this is said, in whatever order it lists it", () => {
    let [possible, cut] = [0, 0];
    const random = createRandom(9);
    const between = (least: number, most: number) => Math.floor(least + random() * (most - least));
    for (let run = 0; run < 20_000; run++) {
      const largeShare = random() ** 3;
      const largest = between(64 << 10, 2 * MIB);
      const listSizes = (length: number) =>
        Array.from({ length }, () =>
          random() < largeShare ? between(30 << 10, largest) : between(200, 30 << 10),
        );
      const pods = listSizes(between(0, 60));
      const containers = listSizes(between(0, 250));
      if (!canSynchronize({ pods, containers }, "parts")) continue;
      possible++;
      if ([...pods, ...containers].reduce((a, b) => a + b, 0) > 4 * MIB) cut++;
      expect(runSynchronize(pods, containers)).toBeUndefined();
    }
    expect(possible).toBeGreaterThan(1000);
    expect(cut).toBeGreaterThan(500);
  });

  test("cannot describe a few containers of more than 4 MiB together, nor many in one pod", () => {
    const large = 13 * (120 << 10);
    for (const [pods, containers] of [
      [[3000], Array<number>(4).fill(large)],
      [[3000], Array<number>(20).fill(300 << 10)],
    ] as const) {
      expect(runSynchronize(pods, containers)).toBeDefined();
      expect(canSynchronize({ pods, containers }, "parts")).toBe(false);
    }
  });
});

describe.each(["whole", "parts"] as const)("a runtime that sends %s", (style) => {
  test("has room for the usual containers of a node, and for one large one", () => {
    expect(canSynchronize(usual, style)).toBe(true);
    expect(canAddContainer(350 << 10, usual, style)).toBe(true);
    expect(canAddContainer(1.5 * MIB, usual, style)).toBe(true);
    expect(canAddContainer(1.5 * MIB, empty, style)).toBe(true);
  });

  test("has no room for ever more large ones, but for the usual ones after them", () => {
    let node = usual;
    const add = (bytes: number): boolean => {
      if (!canAddContainer(bytes, node, style)) return false;
      node = { pods: node.pods, containers: [...node.containers, bytes] };
      return true;
    };
    for (const bytes of [1.5 * MIB, 700 << 10, 300 << 10, 40 << 10]) {
      for (let n = 0; add(bytes); n++) expect(n).toBeLessThan(3000);
    }
    expect(canSynchronize(node, style)).toBe(true);
    for (let n = 0; n < 64; n++) expect(add(20 << 10)).toBe(true);
  });

  test("where others have taken the room, a small container is not refused for it", () => {
    const full = { pods: [3000], containers: Array<number>(12).fill(1.5 * MIB) };
    expect(canSynchronize(full, style)).toBe(false);
    expect(canAddContainer(10 << 10, full, style)).toBe(true);
    expect(canAddContainer(100 << 10, full, style)).toBe(false);
  });

  test("a small container is large where its pod is large and new", () => {
    const full = { pods: usual.pods, containers: [...usual.containers, ...Array<number>(8).fill(1.5 * MIB)] };
    expect(canAdd({ containerBytes: 10 << 10, newPodBytes: 3 << 10 }, usual, style)).toBe(true);
    expect(canAdd({ containerBytes: 10 << 10, newPodBytes: 300 << 10 }, full, style)).toBe(false);
  });
});
