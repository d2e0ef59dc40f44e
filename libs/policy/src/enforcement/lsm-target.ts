// SPDX-License-Identifier: Apache-2.0
// LSM hooks, by their own name or that of the kernel's function that calls them.

import { ok } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import type { ArgumentPlace, SocketEnd } from "./argument-place.ts";
import { findExecTarget } from "./exec-target.ts";
import { type FoundTarget, type HookTarget, plainTarget } from "./hook-target.ts";
import { argumentsOfLsm, toLsmFunction } from "./lsm-functions.ts";
import { placeArguments } from "./place-arguments.ts";

/** `isFunction`: the arguments are those of the function. */
export function findLsmTarget(
  hook: string,
  { args }: { readonly args: readonly Argument[] },
  report: HookTarget["report"],
  isFunction = false,
): FoundTarget {
  const exec = findExecTarget(hook, args, report);
  if (exec !== undefined) return ok(exec);
  if (hook === "socket_connect") return ok(toSocketTarget("connect", "destination", args, report));
  if (hook === "socket_bind") return ok(toSocketTarget("bind", "source", args, report));
  const placed = placeArguments(args, argumentsOfLsm(hook, isFunction));
  return ok({
    ...plainTarget,
    hooks: [{ kind: "lsm", hook }],
    fallbacks: [{ kind: "function", name: toLsmFunction(hook), args: placed.args }],
    places: placed.places,
    report,
  });
}

const internetOnly = "only IPv4 and IPv6 addresses are covered";
const datagramsToo = "an address that a datagram is sent to is covered too";

/** Argument 0 is the socket, 1 the address. Before the call the socket has no address itself. */
function toSocketTarget(
  kind: "connect" | "bind",
  end: SocketEnd,
  declared: readonly Argument[],
  report: HookTarget["report"],
): HookTarget {
  const elsewhere = `the argument 1 (sockaddr), which has the ${kind === "bind" ? "address" : "destination"}`;
  const places = declared.map((argument): ArgumentPlace => {
    const { index, type, resolve } = argument;
    const isPlain = resolve === "";
    if (isPlain && index === 0 && (type === "socket" || type === "sock"))
      return { argument, kind: "socket", ends: [], elsewhere };
    if (isPlain && index === 1 && type === "sockaddr") return { argument, kind: "sockaddr", end };
    return { argument, kind: "unread", needs: `programs that read argument ${index} as ${type}` };
  });
  const name = toLsmFunction(`socket_${kind}`);
  return {
    ...plainTarget,
    hooks: [{ kind }],
    fallbacks: [{ kind: "function", name, args: [{ index: 1, reading: "sockaddr" }] }],
    ...{ places, report },
    notes: kind === "connect" ? [internetOnly, datagramsToo] : [internetOnly],
  };
}
