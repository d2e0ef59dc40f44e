// SPDX-License-Identifier: Apache-2.0
// Hooks into the kernel: kprobes, fentries, tracepoints, lsmhooks.

import * as v from "valibot";
import { judgeLsmAction } from "./action.ts";
import { argument } from "./argument.ts";
import { describeValue } from "./describe-value.ts";
import { argumentList, described, judgeHook, requiredText, selectorList } from "./hook.ts";
import { flag, oneOf, switchedOff } from "./scalar.ts";
import { shape } from "./shape.ts";

const functionEntries = {
  call: requiredText,
  /** The prose of the reference says false; its CRD, which decides, says true. */
  syscall: v.optional(flag, true),
  return: switchedOff,
  returnArg: v.optional(argument),
  returnArgAction: v.optional(oneOf(["TrackSock", "UntrackSock"])),
  args: argumentList,
  data: argumentList,
  selectors: selectorList,
  ignore: v.optional(shape({ callNotFound: switchedOff })),
  ...described,
};

export const fentry = shape(functionEntries, judgeHook);

export const kprobe = shape(functionEntries, (value, report) => {
  judgeHook(value, report);
  const { call, syscall, selectors = [] } = value;
  if (call === undefined || syscall === undefined || syscall || canBeOverridden(call)) return;
  for (const [place, { matchActions }] of selectors.entries()) {
    for (const [index, { action }] of matchActions.entries()) {
      if (action !== "Override") continue;
      report(
        ["selectors", place, "matchActions", index, "action"],
        `Override works on system calls and on security_ functions, not on ${describeValue(call)}`,
      );
    }
  }
});

export const tracepoint = shape(
  {
    subsystem: requiredText,
    event: requiredText,
    raw: switchedOff,
    args: argumentList,
    selectors: selectorList,
    ...described,
  },
  judgeHook,
);

export const lsmHook = shape(
  { hook: requiredText, args: argumentList, selectors: selectorList, ...described },
  (value, report) => {
    judgeHook(value, report);
    for (const [place, { matchReturnArgs, matchActions }] of (value.selectors ?? []).entries()) {
      if (matchReturnArgs.length > 0) {
        report(["selectors", place, "matchReturnArgs"], "an LSM hook has no return value to match");
      }
      for (const [index, action] of matchActions.entries()) {
        judgeLsmAction(action, (at, message) =>
          report(["selectors", place, "matchActions", index, ...at], message),
        );
      }
    }
  },
);

/** What a list names may be system calls. */
const canBeOverridden = (call: string): boolean => /^(security_|list:|(__\w+_)?sys_)/.test(call);
