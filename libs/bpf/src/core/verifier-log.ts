// SPDX-License-Identifier: Apache-2.0

/** What the verifier adds at the end of its log, whatever it found. */
const statistics = /^(processed \d+ insns|verification time|stack depth|peak_states|-- )/;
/** Instructions ("12: (79) r1 = …"), states ("from 3 to 5: …", "; source text") and the like. */
const trace =
  /^(\d+: |;|from \d+ to \d+|func#\d+ |Validating |last_idx|regs=|parent |mark_precise|R\d+(_\w+)?=)/;
const MAX_CHARACTERS = 300;

/** The line of the log that says why a program was refused; empty if there is none. */
export function findReason(log: string): string {
  const lines = log
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !statistics.test(line));
  const reason = lines.findLast((line) => !trace.test(line)) ?? lines.at(-1) ?? "";
  return reason.slice(0, MAX_CHARACTERS);
}
