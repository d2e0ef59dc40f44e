// SPDX-License-Identifier: Apache-2.0
// The hook is paid for by every container start, and its processor time is mostly what the runtime sets up.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { exchanges } from "./fixtures/exchanges.ts";

const script = join(import.meta.dir, "fixtures/one-call.ts");

test.each(exchanges.filter(({ outcome }) => outcome.kind === "response"))(
  "$origin, $name: one call starts no compiler",
  ({ hex }) => {
    expect(listCompiled(hex)).toEqual([]);
  },
);

test("the runtime would have told", () => {
  expect(listCompiled("spin")).not.toEqual([]);
});

/** On the program's own thread: another one may not have come to it when the program ends, on a busy machine. */
function listCompiled(argument: string): readonly string[] {
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, script, argument], {
    env: { BUN_JSC_reportBaselineCompileTimes: "1", BUN_JSC_useConcurrentJIT: "0" },
  });
  expect(exitCode).toBe(0);
  return `${stdout}${stderr}`.match(/Optimized .*? using Baseline/g) ?? [];
}
