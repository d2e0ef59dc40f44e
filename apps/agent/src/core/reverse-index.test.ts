// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { HOST_MARKER } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { type FilterMaps, noFilterMaps } from "./filter-maps.ts";
import { indexReverse } from "./reverse-index.ts";

function index(maps: FilterMaps = noFilterMaps) {
  const told = new Map<bigint, readonly number[]>();
  const changes: string[] = [];
  const indexed = indexReverse(maps, (cgroupId, policyIds) => {
    changes.push(`${cgroupId}: ${policyIds}`);
    if (policyIds.length === 0) told.delete(cgroupId);
    else told.set(cgroupId, policyIds);
  });
  return { indexed, told, take: () => changes.splice(0) };
}

test("what was found is told, and each change after that", () => {
  const found = new Map([
    [1, { key: "", cgroupIds: new Set([10n, 11n]) }],
    [2, { key: "web", cgroupIds: new Set([10n, HOST_MARKER]) }],
  ]);
  const { indexed, told, take } = index({ ...noFilterMaps, found });
  expect(told).toEqual(
    new Map([
      [10n, [1, 2]],
      [11n, [1]],
    ]),
  );
  take();
  indexed.add(1, 12n);
  indexed.remove(1, 11n);
  indexed.remove(1, 99n);
  expect(take()).toEqual(["12: 1", "11: "]);
  // Only what is other than before.
  indexed.putPolicy(2, "web", [12n, HOST_MARKER]);
  expect(take()).toEqual(["12: 1,2", "10: 1"]);
  indexed.removePolicy(2);
  expect(take()).toEqual(["12: 1"]);
});

test("what the maps refuse has not happened", () => {
  const refused = () => err("full");
  const { indexed, take } = index({
    ...noFilterMaps,
    putPolicy: refused,
    add: refused,
    removePolicy: refused,
  });
  expect([indexed.putPolicy(2, "web", [1n]), indexed.add(2, 1n), indexed.removePolicy(2)]).toEqual([
    err("full"),
    err("full"),
    err("full"),
  ]);
  expect(indexed.remove(2, 1n)).toEqual(ok(undefined));
  expect(take()).toEqual([]);
});
