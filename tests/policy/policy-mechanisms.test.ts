// SPDX-License-Identifier: Apache-2.0
// What holds the policies of this folder that have rules, on two nodes.
import { expect, test } from "bun:test";
import { fullNode, judgePolicy, smallNode } from "./judge-policy.ts";
import { policyFiles } from "./policy-files.ts";

/** On a node with all programs, and on one without BPF LSM and kprobes, where a list is what it lacks. */
const expected: Readonly<Record<string, readonly [full: string, small: string | number]>> = {
  "capable-processes": ["prevented by lsm", 1],
  "egress-of-jobs": ["prevented by lsm", "prevented by cgroup program"],
  "guarded-files": ["prevented by lsm", 4],
  "kernel-functions": ["signalled: the call completes", 3],
  "no-shell-in-pods": ["prevented by lsm", "killed before its first instruction"],
  "open-ports": ["prevented by lsm", "prevented by cgroup program"],
  "unwanted-calls": ["signalled: the call completes", 1],
  "watch-secrets": ["counted", 1],
  "written-bytes": ["signalled: the call completes", "signalled: the call completes"],
};

for (const { name, document } of policyFiles) {
  test(name, () => {
    const [full, small] = [judgePolicy(document, fullNode), judgePolicy(document, smallNode)];
    const row = expected[name];
    if (row === undefined) {
      // Each selector without a rule says what it lacks.
      for (const line of full) expect(line).toMatch(/^[\w[\].]+: [\w[\].]+ needs /);
      expect(Array.isArray(full)).toBe(true);
    } else {
      expect([full, typeof small === "string" ? small : small.length]).toEqual([...row]);
    }
  });
}
