// SPDX-License-Identifier: Apache-2.0
// The policies of examples/: each is read, and says what holds it.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { fullNode, judgePolicy, smallNode } from "./judge-policy.ts";

const folder = join(import.meta.dir, "../../examples");
const needsLsm = (selector: string): readonly string[] => [`${selector}: needs BPF LSM (not here)`];

/** On a node without BPF LSM and kprobes. On one with all programs BPF LSM holds each. */
const expected: Readonly<Record<string, string | readonly string[]>> = {
  "metadata-address.yaml": "prevented by cgroup program",
  "no-package-managers.yaml": "killed before its first instruction",
  "no-ptrace.yaml": needsLsm("lsmhooks[0].selectors[0]"),
  "no-shell.yaml": "killed before its first instruction",
  "sensitive-files.yaml": [
    "lsmhooks[0].selectors[0]: needs BPF LSM (not here), or a kprobe (not here)",
    ...needsLsm("lsmhooks[0].selectors[1]"),
  ],
};

test("every example is judged", () => {
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(expected));
});

for (const [name, small] of Object.entries(expected)) {
  test(name, () => {
    const document: unknown = parse(readFileSync(join(folder, name), "utf8"));
    expect(judgePolicy(document, fullNode)).toBe("prevented by lsm");
    expect<unknown>(judgePolicy(document, smallNode)).toEqual(small);
  });
}
