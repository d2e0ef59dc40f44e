// SPDX-License-Identifier: Apache-2.0
// Of a hook's selectors the first that matches decides. The kernel judges by all rules at once, so what an earlier selector
// takes is left out of a later one.

import { err, ok, type Result } from "@rthooks/result";
import { type Filter, isSameFilter } from "../filter/filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { complement, intersect, mayOverlap } from "./prefix-set.ts";
import type { RuleScope, SubjectEffect } from "./subject-rule.ts";

export interface OrderedRule {
  readonly scope: RuleScope;
  readonly filters: readonly Filter[];
  readonly effects: readonly SubjectEffect[];
}

/**
 * What is left of `later`. Where that cannot be expressed, the overlap stays in `later` if it makes no difference: `later`
 * only counts, or both have the same effects. If it makes one, that is an error.
 */
export function takeAway(earlier: OrderedRule, later: OrderedRule): Result<RuleScope, MissingCapability> {
  if (!overlap(earlier.scope, later.scope)) return ok(later.scope);
  const rest = isAboutAllOf(earlier, later) ? subtract(later.scope, earlier.scope) : undefined;
  if (rest !== undefined) return ok(rest);
  const makesNoDifference = later.effects.length === 0 || toEffectKey(earlier) === toEffectKey(later);
  if (makesNoDifference) return ok(later.scope);
  return err({
    field: "matchArgs",
    needs: "an order between rules, since an earlier selector may match the same event",
  });
}

function overlap(one: RuleScope, other: RuleScope): boolean {
  if (one.kind === "exec") return other.kind === "exec" && mayOverlap(one.paths, other.paths);
  if (other.kind === "exec" || !mayOverlap(one.addresses, other.addresses)) return false;
  if (one.sockets !== "all" && other.sockets !== "all" && one.sockets !== other.sockets) return false;
  return one.ports === undefined || other.ports === undefined || !one.ports.isDisjointFrom(other.ports);
}

/** Whether the earlier rule matches all that the later one does, apart from paths and addresses. */
function isAboutAllOf(earlier: OrderedRule, later: OrderedRule): boolean {
  const hasContainers = earlier.filters.every((filter) =>
    later.filters.some((other) => isSameFilter(filter, other)),
  );
  if (!hasContainers) return false;
  if (earlier.scope.kind === "exec" || later.scope.kind === "exec") return true;
  const { ports, sockets } = earlier.scope;
  const hasPorts = ports === undefined || later.scope.ports?.isSubsetOf(ports) === true;
  return hasPorts && (sockets === "all" || sockets === later.scope.sockets);
}

function subtract(later: RuleScope, earlier: RuleScope): RuleScope | undefined {
  if (later.kind === "exec") {
    if (earlier.kind !== "exec") return later;
    const paths = intersect(later.paths, complement(earlier.paths));
    return paths && { kind: "exec", paths };
  }
  if (earlier.kind === "exec") return later;
  const addresses = intersect(later.addresses, complement(earlier.addresses));
  return addresses && { ...later, addresses };
}

/** SIGKILL and Override are one: the same program carries out both, in the same way. */
const toEffectKey = ({ effects }: OrderedRule): string =>
  [...new Set(effects.map((effect) => (effect.kind === "signal" ? `signal ${effect.number}` : "deny")))]
    .toSorted()
    .join();
