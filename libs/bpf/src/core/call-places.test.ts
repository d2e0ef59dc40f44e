// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findCallPlaces } from "./call-places.ts";

const placesOf = (name: string) =>
  findCallPlaces(name, "x64")?.map(({ place, is32Bit, layout }) => [place, is32Bit ? 32 : 64, layout]);

test.each([
  [
    "mkdir",
    [
      [83, 64, 0],
      [39, 32, 1],
    ],
  ],
  [
    "newuname",
    [
      [63, 64, 0],
      [109, 32, 1],
      [59, 32, 1],
      [122, 32, 1],
    ],
  ],
  [
    "chown",
    [
      [92, 64, 0],
      [182, 32, 1],
      [212, 32, 1],
    ],
  ],
  [
    "clock_gettime",
    [
      [228, 64, 0],
      [265, 32, 1],
      [403, 32, 1],
    ],
  ],
  [
    "sendfile64",
    [
      [40, 64, 0],
      [187, 32, 1],
      [239, 32, 1],
    ],
  ],
  // Calls of their own in the 64-bit table, too.
  [
    "getdents",
    [
      [78, 64, 0],
      [89, 32, 1],
      [141, 32, 1],
    ],
  ],
  [
    "lseek",
    [
      [8, 64, 0],
      [140, 32, 3],
      [19, 32, 1],
    ],
  ],
  [
    "pread64",
    [
      [17, 64, 0],
      [180, 32, 4],
    ],
  ],
  // With its number of x32 programs, and by socketcall(2).
  [
    "setsockopt",
    [
      [54, 64, 0],
      [541, 64, 0],
      [366, 32, 1],
      [942, 32, 13],
    ],
  ],
  [
    "shmdt",
    [
      [67, 64, 0],
      [398, 32, 1],
      [982, 32, 18],
    ],
  ],
  [
    "arch_prctl",
    [
      [158, 64, 0],
      [384, 32, 1],
    ],
  ],
] as const)("%s", (name, places) => expect<unknown>(placesOf(name)).toEqual(places)); // const: tuples

test("arm64 has those of its own table", () => {
  expect(findCallPlaces("mkdirat", "arm64")).toEqual([{ place: 34, is32Bit: false, layout: 0 }]);
});

test("a call that is not known has none", () => {
  expect([placesOf("made_up"), placesOf("constructor")]).toEqual([undefined, undefined]);
});
