// SPDX-License-Identifier: Apache-2.0
// One word for one thing (docs/glossary.md): packages do not export different types of the same name.
import { expect, test } from "bun:test";
import { findExportedTypes } from "./findings.ts";
import { ranks } from "./ranks.ts";
import { findSourceFiles } from "./source-files.ts";

/** Names that two packages may have, each with the reason. */
const allowed: ReadonlyMap<string, string> = new Map([
  ["Filter", "that of libs/proto is a message of Tetragon"],
  ["LogLevel", "that of libs/proto is a message of Tetragon"],
  ["Pod", "that of libs/proto is a message of Tetragon"],
]);

/** The packages in which each name is declared. Generated messages count: their names are those of the protocols. */
function findOwners(): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const file of findSourceFiles()) {
    if (!ranks.has(file.package) || file.isTest) continue;
    for (const name of findExportedTypes(file.tokens)) {
      owners.set(name, (owners.get(name) ?? new Set()).add(file.package));
    }
  }
  return owners;
}

const owners = findOwners();
const shared = [...owners].filter(([, packages]) => packages.size > 1);

test("the types are really seen", () => {
  expect(owners.size).toBeGreaterThan(250);
  expect(owners.get("ContainerReport")).toEqual(new Set(["libs/machines"]));
});

test("no type's name is exported by two packages", () => {
  const found = shared.map(([name, packages]) => `${name}: ${[...packages].join(", ")}`);
  expect(found.filter((line) => !allowed.has(line.slice(0, line.indexOf(":"))))).toEqual([]);
});

test("a name that is allowed twice is there twice", () => {
  expect([...allowed.keys()].filter((name) => (owners.get(name)?.size ?? 0) < 2)).toEqual([]);
});
