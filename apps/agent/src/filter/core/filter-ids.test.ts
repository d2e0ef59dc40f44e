// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createFilterIds } from "./filter-ids.ts";
import { parseFilterLimits } from "./filter-limits.ts";

const limits = { perNamespace: 3, forCluster: 120 };
const error = (done: { readonly ok: boolean; readonly error?: string }): string => done.error ?? "";

describe("filters are few", () => {
  test("the policies of one namespace may have some of them", () => {
    const ids = createFilterIds(new Map(), new Set(), limits);
    for (const key of ["grpc/a/p", "grpc/a/p#kprobes.0.0", "k8s/a/q"]) expect(ids.take(key).ok).toBeTrue();
    expect(error(ids.take("static/a/r"))).toBe(
      "the policies of namespace a may have 3 filters, for themselves and their workload selectors (--namespace-filters)",
    );
    expect(ids.take("grpc/b/p").ok).toBeTrue();
    expect(ids.counts()).toEqual(
      new Map([
        ["a", 3],
        ["b", 1],
      ]),
    );
    ids.release("k8s/a/q");
    expect(ids.take("static/a/r").ok).toBeTrue();
  });

  test("those of all namespaces leave the cluster's policies their own", () => {
    const ids = createFilterIds(new Map(), new Set(), limits);
    for (let at = 0; at < 7; at++) expect(ids.take(`grpc/n${at}/p`).ok).toBeTrue();
    expect(error(ids.take("grpc/n8/p"))).toContain(
      "the other 120 are reserved for cluster-wide policies (--cluster-filters)",
    );
    for (let at = 0; at < 120; at++) expect(ids.take(`grpc//p${at}`).ok).toBeTrue();
    expect(error(ids.take("grpc//more"))).toContain("the map is full");
  });

  test("what a policy has from before it keeps, over the limits too", () => {
    const known = new Map(Array.from({ length: 5 }, (_, at) => [`grpc/a/p${at}`, at + 2] as const));
    const ids = createFilterIds(known, new Set([9]), limits);
    expect(ids.take("grpc/a/p4")).toEqual({ ok: true, value: 6 });
    expect(ids.take("grpc/a/p5").ok).toBeFalse();
    // Another program's id is never given, and is none of the 127.
    expect(ids.take("grpc//p")).toEqual({ ok: true, value: 10 });
  });
});

test.each(["128", "-1", "1.5", "", "many"])(
  "%p is refused as a limit, and the error names the flag",
  (text) => {
    const given = { "namespace-filters": "16", "cluster-filters": "32" };
    expect(parseFilterLimits(given)).toEqual({ ok: true, value: { perNamespace: 16, forCluster: 32 } });
    for (const flag of ["namespace-filters", "cluster-filters"] as const) {
      const parsed = parseFilterLimits({ ...given, [flag]: text });
      expect(parsed.ok ? "" : parsed.error).toBe(
        `--${flag}: ${JSON.stringify(text)} is not a number from 0 to 127`,
      );
    }
  },
);
