// SPDX-License-Identifier: Apache-2.0
// What all filters of a selector's arguments leave together.

import { err, ok, type Result } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import { type ConnectFilter, toConnectFilter } from "./connect-scope.ts";
import { toPathSet } from "./exec-scope.ts";
import type { HookTarget } from "./hook-target.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { everything, intersect, isEmpty } from "./prefix-set.ts";
import type { RuleScope, RuleSockets } from "./subject-rule.ts";

export interface ScopeWithNotes {
  readonly scope: RuleScope;
  readonly notes: readonly string[];
}

type Narrowed = Result<{ readonly scope: RuleScope; readonly note?: string | undefined }, MissingCapability>;

/** `declared`: arguments of the hook. */
export function toRuleScope(
  target: HookTarget,
  declared: readonly Argument[],
  filters: readonly ValueFilter[],
): Result<ScopeWithNotes, MissingCapability> {
  let scope = toWholeScope(target);
  const notes = new Set(target.notes);
  for (const [at, filter] of filters.entries()) {
    const narrowed = narrow(scope, target, declared, filter);
    if (!narrowed.ok) return err({ ...narrowed.error, field: `matchArgs[${at}].${narrowed.error.field}` });
    scope = narrowed.value.scope;
    if (narrowed.value.note !== undefined) notes.add(narrowed.value.note);
  }
  return ok({ scope, notes: [...notes] });
}

/** No event has what the filters ask for. */
export const isEmptyScope = (scope: RuleScope): boolean =>
  scope.kind === "exec" ? isEmpty(scope.paths) : isEmpty(scope.addresses) || scope.ports?.size === 0;

const toWholeScope = (target: HookTarget): RuleScope =>
  target.kind === "exec"
    ? { kind: "exec", paths: everything }
    : { kind: "connect", addresses: everything, ports: undefined, sockets: target.sockets };

function narrow(
  scope: RuleScope,
  target: HookTarget,
  declared: readonly Argument[],
  filter: ValueFilter,
): Narrowed {
  const argument = findArgument(filter, declared);
  if (argument === undefined) return err({ field: "index", needs: "an argument that args declares" });
  if (argument.resolve !== "") return err({ field: "index", needs: "programs that follow resolve" });
  if (filter.values.length === 0 && !filter.operator.endsWith("Priv"))
    return err({ field: "values", needs: "a value" });
  const other = err({
    field: "index",
    needs: `programs that compare argument ${argument.index} as ${argument.type}`,
  });
  if (scope.kind === "exec") {
    if (target.kind !== "exec" || !isPathOf(target, argument)) return other;
    const set = toPathSet(filter);
    if (!set.ok) return set;
    const paths = intersect(scope.paths, set.value);
    return paths === undefined ? withExceptions("paths") : ok({ scope: { kind: "exec", paths } });
  }
  if (target.kind !== "connect") return other;
  const isSockaddr = argument.index === target.sockaddr && argument.type === "sockaddr";
  const isSocket =
    argument.index === target.socket && (argument.type === "sock" || argument.type === "socket");
  if (!isSockaddr && !isSocket) return other;
  const found = toConnectFilter(filter, isSockaddr);
  if (!found.ok) return found;
  // Before the call the socket has no destination yet.
  if (isSocket && target.sockaddr !== undefined && isAboutDestination(filter))
    return err({
      field: "index",
      needs: `the argument ${target.sockaddr} (sockaddr), which has the destination`,
    });
  return narrowConnect(scope, found.value);
}

function narrowConnect(scope: Extract<RuleScope, { kind: "connect" }>, filter: ConnectFilter): Narrowed {
  const addresses = intersect(scope.addresses, filter.addresses ?? everything);
  if (addresses === undefined) return withExceptions("addresses");
  const ports =
    scope.ports === undefined || filter.ports === undefined
      ? (filter.ports ?? scope.ports)
      : scope.ports.intersection(filter.ports);
  const sockets = keepSockets(scope.sockets, filter.sockets ?? "all");
  return ok({
    // Sockets of no kind are the same as no address.
    scope:
      sockets === undefined
        ? { ...scope, addresses: { prefixes: [], isNegated: false } }
        : { kind: "connect", addresses, ports, sockets },
    note: filter.note,
  });
}

function keepSockets(one: RuleSockets, other: RuleSockets): RuleSockets | undefined {
  if (one === "all") return other;
  return other === "all" || other === one ? one : undefined;
}

const isAboutDestination = ({ operator }: ValueFilter): boolean => /Addr$|Port(Priv)?$/.test(operator);

const isPathOf = ({ path }: Extract<HookTarget, { kind: "exec" }>, { index, type }: Argument): boolean =>
  index === path.index && path.types.includes(type);

const withExceptions = (what: string): Narrowed =>
  err({ field: "values", needs: `a rule that has ${what} and exceptions from them` });

/** `args` has places in the list of arguments, `index` is that of the argument itself. */
function findArgument({ args, index }: ValueFilter, declared: readonly Argument[]): Argument | undefined {
  const [place, ...others] = args;
  if (others.length > 0) return undefined;
  return place === undefined ? declared.find((argument) => argument.index === index) : declared[place];
}
