// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { HOST_MARKER } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { type FilterMaps, noFilterMaps } from "./filter-maps.ts";
import { indexReverse } from "./reverse-index.ts";

function begin(maps: FilterMaps = noFilterMaps) {
  const changes: string[] = [];
  const index = indexReverse(maps, (cgroupId) => changes.push(`${cgroupId}: ${index.filterIdsOf(cgroupId)}`));
  return { index, indexed: index.maps, take: () => changes.splice(0) };
}

test("what was found is there, and each change after that is told", () => {
  const found = new Map([
    [1, { key: "", cgroupIds: new Set([10n, 11n]) }],
    [2, { key: "web", cgroupIds: new Set([10n, HOST_MARKER]) }],
  ]);
  const { index, indexed, take } = begin({ ...noFilterMaps, found });
  expect([...index.cgroupIds()].map((id) => [id, index.filterIdsOf(id)])).toEqual([
    [10n, [1, 2]],
    [11n, [1]],
  ]);
  expect(take()).toEqual([]);
  indexed.add(1, 12n);
  indexed.remove(1, 11n);
  indexed.remove(1, 99n);
  expect(take()).toEqual(["12: 1", "11: "]);
  // Only what is other than before.
  indexed.putFilter(2, "web", [12n, HOST_MARKER]);
  expect(take()).toEqual(["12: 1,2", "10: 1"]);
  indexed.removeFilter(2);
  expect(take()).toEqual(["12: 1"]);
});

test("what the maps refuse has not happened", () => {
  const refused = () => err("full");
  const { indexed, take } = begin({ ...noFilterMaps, putFilter: refused, add: refused });
  expect([indexed.putFilter(2, "web", [1n]), indexed.add(2, 1n)]).toEqual([err("full"), err("full")]);
  expect(indexed.remove(2, 1n)).toEqual(ok(undefined));
  expect(take()).toEqual([]);
});
