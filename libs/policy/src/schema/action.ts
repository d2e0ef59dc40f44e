// SPDX-License-Identifier: Apache-2.0
// What happens when a selector matches (ActionSelector).

import * as v from "valibot";
import { address, matching, oneOf, signed, switchedOff, text, unsigned } from "./scalar.ts";
import { withCelRules } from "./schema-part.ts";
import { listOf, type Report, requiredListOf, shape } from "./shape.ts";

const actionNames = [
  "Post",
  "NoPost",
  "Sigkill",
  "Signal",
  "Override",
  "GetUrl",
  "DnsLookup",
  "TrackSock",
  "UntrackSock",
  "NotifyEnforcer",
  "CleanupEnforcerNotification",
  "Set",
] as const; // const: each name is a type of its own

const maxActions = 3;

const entries = {
  action: oneOf(actionNames),
  argError: v.optional(signed),
  argSig: v.optional(unsigned),
  argSock: v.optional(unsigned),
  argIndex: v.optional(unsigned),
  argValue: v.optional(unsigned),
  argUrl: v.optional(text),
  argFqdn: v.optional(text),
  argRegs: listOf(text),
  argNewSymbol: v.optional(text),
  argNewAddr: v.optional(address),
  argNewOffset: v.optional(address),
  rateLimit: v.optional(
    matching(/^(\d+[smhSMH]?)?$/, 'a number of seconds, or a number with s, m or h like "5m"'),
  ),
  rateLimitScope: v.optional(oneOf(["thread", "process", "global"])),
  kernelStackTrace: switchedOff,
  userStackTrace: switchedOff,
  imaHash: switchedOff,
};

const newTargets = ["argNewSymbol", "argNewAddr", "argNewOffset"] as const; // const: keys of an action
/** Fields of the action Post. */
const postFields = ["rateLimit", "kernelStackTrace", "userStackTrace"] as const; // const: as above

const actionSchema = withCelRules(
  shape(entries, (value, report) => {
    const targets = newTargets.filter((name) => value[name] !== undefined);
    for (const name of targets.slice(1)) {
      report([name], `only one of ${newTargets.join(", ")} may be set, and ${targets[0]} is`);
    }
    if (value.action === undefined || value.action === "Post") return;
    for (const name of postFields) {
      if (value[name]) report([name], `is allowed with the action Post only, not with ${value.action}`);
    }
  }),
  {
    // Pairs and no loop: the API server limits what a rule may cost, times the actions that fit into a request.
    rule: newTargets
      .map((name, at) => `!(has(self.${name}) && has(self.${newTargets[(at + 1) % newTargets.length]}))`)
      .join(" && "),
    message: `only one of ${newTargets.join(", ")} may be set`,
  },
);

export type Action = v.InferOutput<typeof actionSchema>;

export const actionList = v.optional(requiredListOf(actionSchema, { count: maxActions }), []);

const enforcing: ReadonlySet<string> = new Set<Action["action"]>([
  "Sigkill",
  "Signal",
  "Override",
  "NotifyEnforcer",
  "Set",
]);

/** Whether the action changes what the process does; the others only affect events and state. */
export const isEnforcing = ({ action }: Action): boolean => enforcing.has(action);

const lsmActions: ReadonlySet<string> = new Set<Action["action"]>([
  "Post",
  "NoPost",
  "Sigkill",
  "Signal",
  "Override",
]);

/** LSM hooks support fewer actions than other hooks. */
export function checkLsmAction(action: Action, report: Report): void {
  if (!lsmActions.has(action.action)) {
    report(
      ["action"],
      `must be Post, NoPost, Sigkill, Signal or Override in an LSM hook, not ${action.action}`,
    );
  }
  for (const name of ["kernelStackTrace", "userStackTrace"] as const) {
    if (action[name]) report([name], "LSM hooks have no stack traces");
  }
}
