// SPDX-License-Identifier: Apache-2.0
// Hooks into programs: uprobes, usdts.

import * as v from "valibot";
import { argument } from "./argument.ts";
import { argumentList, checkHook, described, requiredText, returnRule, selectorList } from "./hook.ts";
import { address, switchedOff, text } from "./scalar.ts";
import { withCelRules } from "./schema-part.ts";
import { listOf, shape } from "./shape.ts";

const targets = ["symbols", "offsets", "addrs"] as const; // const: keys of a uprobe

export const uprobe = withCelRules(
  shape(
    {
      path: requiredText,
      symbols: listOf(text),
      offsets: listOf(address),
      addrs: listOf(address),
      refCtrOffsets: listOf(address),
      btfPath: v.optional(text, ""),
      binaryDigests: listOf(text),
      ignore: v.optional(shape({ digestVerificationFailure: switchedOff })),
      return: switchedOff,
      returnArg: v.optional(argument),
      args: argumentList,
      data: argumentList,
      selectors: selectorList,
      ...described,
    },
    (value, report) => {
      checkHook(value, report);
      const used = targets.filter((name) => (value[name]?.length ?? 0) > 0);
      for (const name of used.slice(1)) {
        report([name], `only one of ${targets.join(", ")} may be set, and ${used[0]} is`);
      }
    },
  ),
  returnRule,
  {
    rule: targets
      .map((name, at) => `!(${isUsed(name)} && ${isUsed(targets[(at + 1) % targets.length] ?? name)})`)
      .join(" && "),
    message: `only one of ${targets.join(", ")} may be set`,
  },
);

function isUsed(name: string): string {
  return `has(self.${name}) && size(self.${name}) > 0`;
}

export const usdt = shape(
  {
    path: requiredText,
    provider: requiredText,
    name: requiredText,
    btfPath: v.optional(text, ""),
    args: argumentList,
    selectors: selectorList,
    ...described,
  },
  checkHook,
);
