// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import type { Action } from "../schema/action.ts";
import type { MissingCapability } from "./policy-rule.ts";
import type { RuleAction, SubjectEffect } from "./subject-rule.ts";

const SIGKILL = 9;
/** The error that the programs give is EPERM. */
const overrideError = -1;

/** All actions of a selector are taken. */
export function toRuleAction(actions: readonly Action[]): Result<RuleAction, MissingCapability> {
  const effects: SubjectEffect[] = [];
  let [posts, rateLimit] = [true, undefined as string | undefined];
  for (const [at, action] of actions.entries()) {
    const missing = (field: string, needs: string) => err({ field: `matchActions[${at}].${field}`, needs });
    switch (action.action) {
      case "Post":
        if (action.kernelStackTrace) return missing("kernelStackTrace", "stack traces");
        if (action.userStackTrace) return missing("userStackTrace", "stack traces");
        if (action.imaHash) return missing("imaHash", "hashes of IMA");
        rateLimit = action.rateLimit;
        break;
      case "NoPost":
        posts = false;
        break;
      case "Sigkill":
        effects.push({ kind: "kill" });
        break;
      case "Signal":
        if (!action.argSig) return missing("argSig", "the number of a signal");
        effects.push(
          action.argSig === SIGKILL ? { kind: "kill" } : { kind: "signal", number: action.argSig },
        );
        break;
      case "Override":
        if (action.argError !== overrideError)
          return missing("argError", "the error -1 (EPERM), the only one that programs give");
        effects.push({ kind: "override" });
        break;
      default:
        return missing("action", `the action ${action.action} in the programs`);
    }
  }
  return ok({ effects, posts, rateLimit });
}
