// SPDX-License-Identifier: Apache-2.0
// Hooks into the kernel: kprobes, fentries, tracepoints, lsmhooks.

import * as v from "valibot";
import { checkLsmAction } from "./action.ts";
import { argument } from "./argument.ts";
import { describeValue } from "./describe-value.ts";
import { argumentList, checkHook, described, requiredText, returnRule, selectorList } from "./hook.ts";
import { flag, oneOf, switchedOff } from "./scalar.ts";
import { withCelRules } from "./schema-part.ts";
import { shape } from "./shape.ts";

const functionEntries = {
  call: requiredText,
  /** The default of the CRD; the documentation of the reference has false. */
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

export const fentry = withCelRules(shape(functionEntries, checkHook), returnRule);

export const kprobe = withCelRules(
  shape(functionEntries, (value, report) => {
    checkHook(value, report);
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
  }),
  returnRule,
);

export const tracepoint = shape(
  {
    subsystem: requiredText,
    event: requiredText,
    raw: switchedOff,
    args: argumentList,
    selectors: selectorList,
    ...described,
  },
  checkHook,
);

export const lsmHook = shape(
  { hook: requiredText, args: argumentList, selectors: selectorList, ...described },
  (value, report) => {
    checkHook(value, report);
    for (const [place, { matchReturnArgs, matchActions }] of (value.selectors ?? []).entries()) {
      if (matchReturnArgs.length > 0) {
        report(["selectors", place, "matchReturnArgs"], "LSM hooks have no return value to match");
      }
      for (const [index, action] of matchActions.entries()) {
        checkLsmAction(action, (at, message) =>
          report(["selectors", place, "matchActions", index, ...at], message),
        );
      }
    }
  },
);

/** The members of a list may be system calls. Of the others these send, which cgroup programs deny. */
const canBeOverridden = (call: string): boolean =>
  /^(security_|list:|(__\w+_)?sys_|(tcp_connect|udp_sendmsg|udpv6_sendmsg)$)/.test(call);
