// SPDX-License-Identifier: Apache-2.0
// Logs as kernels 6.1 and 6.18 wrote them.
import { expect, test } from "bun:test";
import { findReason } from "./verifier-log.ts";

test.each([
  { log: "", reason: "" },
  {
    log: "0: R1=ctx() R10=fp0\n0: (b7) r1 = 0                        ; R1_w=0\n1: (79) r0 = *(u64 *)(r1 +0)\nR1 invalid mem access 'scalar'\nprocessed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n",
    reason: "R1 invalid mem access 'scalar'",
  },
  {
    log: "fd 0 is not pointing to valid bpf_map\nprocessed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n",
    reason: "fd 0 is not pointing to valid bpf_map",
  },
  {
    log: "func#0 @0\n0: R1=ctx(off=0,imm=0) R10=fp0\n; return 0;\n0: (05) goto pc-1\ninfinite loop detected at insn 0\nprocessed 1 insns (limit 1000000)\n\n",
    reason: "infinite loop detected at insn 0",
  },
  { log: "from 3 to 5: R0=1\n5: (95) exit\n", reason: "5: (95) exit" },
])("the reason is found: $reason", ({ log, reason }) => {
  expect(findReason(log)).toBe(reason);
});

test("a reason is one line of bounded length", () => {
  expect(findReason("x".repeat(5_000))).toHaveLength(300);
});
