// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createContainerRoots } from "./container-roots.ts";

describe("the roots of containers", () => {
  const roots = createContainerRoots();
  roots.put("a", "/kubepods/pod1/a");
  roots.put("b", "/kubepods/pod2/b");

  test.each([
    { name: "the same", path: "/kubepods/pod1/a", overlap: { containerId: "a", path: "/kubepods/pod1/a" } },
    { name: "below", path: "/kubepods/pod1/a/x/y", overlap: { containerId: "a", path: "/kubepods/pod1/a" } },
    { name: "above", path: "/kubepods/pod2", overlap: { containerId: "b", path: "/kubepods/pod2/b" } },
    { name: "beside", path: "/kubepods/pod2/bb", overlap: undefined },
  ])("a root that is $name: the overlap is found", ({ path, overlap }) => {
    expect(roots.findOverlap("new", path)).toEqual(overlap);
  });

  test("a container does not overlap itself", () => {
    expect(roots.findOverlap("a", "/kubepods/pod1/a/x")).toBeUndefined();
    expect(roots.findOverlap("a", "/kubepods/pod1")).toBeUndefined();
  });

  test("overlap as a comparison with all of them says, for any three cgroups", () => {
    const names = ["a", "b"];
    const paths = names.flatMap((one) => [
      `/${one}`,
      ...names.flatMap((two) => [`/${one}/${two}`, ...names.map((three) => `/${one}/${two}/${three}`)]),
    ]);
    const overlap = (one: string, other: string): boolean =>
      `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
    for (const first of paths) {
      for (const second of paths) {
        if (first === second) continue;
        for (const asked of paths) {
          const some = createContainerRoots();
          some.put("1", second);
          some.put("1", first);
          some.put("2", second);
          expect(some.findOverlap("3", asked) !== undefined).toBe(
            overlap(first, asked) || overlap(second, asked),
          );
          expect(some.findOverlap("1", asked) !== undefined).toBe(overlap(second, asked));
          some.remove("2");
          expect(some.findOverlap("1", asked)).toBeUndefined();
          expect(some.findOverlap("2", asked) !== undefined).toBe(overlap(first, asked));
        }
      }
    }
  });
});
