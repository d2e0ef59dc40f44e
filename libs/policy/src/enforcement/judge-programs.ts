// SPDX-License-Identifier: Apache-2.0
// Whether a node's programs know what a rule compares: a filter on what a program does not know would never match.

import { err, type Result } from "@rthooks/result";
import type {
  AddressFacet,
  HookPoint,
  KernelRule,
  NumberFacet,
  RuleFilters,
  TextFacet,
} from "./kernel-rule.ts";
import type { NodeCapabilities } from "./node-capabilities.ts";

/** At a raw tracepoint the program of the caller is gone. */
export const judgeRawExec = (
  { filters }: KernelRule,
  { rawTracepoint }: NodeCapabilities,
): Result<void, string> =>
  rawTracepoint.ok && filters.texts.some(({ facet }) => facet === "binary")
    ? err("it does not know the calling binary")
    : rawTracepoint;

export function judgeLsm(
  hook: string,
  { filters }: KernelRule,
  { lsm, lsmHooks }: NodeCapabilities,
): Result<void, string> {
  if (!lsm.ok) return lsm;
  const known = lsmHooks.get(hook);
  if (known === undefined) return err(`there is none for the hook ${hook}`);
  const unknown = listFacets(filters).find((facet) => !known.has(facet));
  return unknown === undefined ? lsm : err(`at the hook ${hook} it does not read ${unknown}`);
}

/** The hooks that judge connections and bind: a datagram has its address in a message. */
const socketHooks = { connect: ["socket_connect", "socket_sendmsg"], bind: ["socket_bind"] } as const; // const: names

export function judgeSocketLsm(
  kind: "connect" | "bind",
  { lsm, lsmHooks }: NodeCapabilities,
): Result<void, string> {
  const missing = socketHooks[kind].find((hook) => !lsmHooks.has(hook));
  return lsm.ok && missing !== undefined ? err(`there is none for the hook ${missing}`) : lsm;
}

export function judgeCgroup(
  kind: "connect" | "bind",
  { filters }: KernelRule,
  { cgroupProgram }: NodeCapabilities,
): Result<void, string> {
  const unknown = listFacets(filters).find((facet) => !ofCgroup[kind].has(facet));
  return cgroupProgram.ok && unknown !== undefined
    ? err(`it does not know the ${unknown} of the socket`)
    : cgroupProgram;
}

/** What bpf/enforce.bpf.c sets for both kinds of calls. */
const ofCall = ["family", "socketType", "protocol"] as const; // const: facets
const ofCgroup: Readonly<Record<"connect" | "bind", ReadonlySet<string>>> = {
  connect: new Set([...ofCall, "destination", "destinationPort"]),
  bind: new Set([...ofCall, "source", "sourcePort"]),
};

/** Of an address alone a program has no more than what is in it. */
export function judgeFunction(
  fallback: HookPoint,
  { filters }: KernelRule,
  { kprobe }: NodeCapabilities,
): Result<void, string> {
  if (!kprobe.ok || fallback.kind !== "function") return kprobe;
  if (fallback.args.some(({ reading }) => reading === "sock")) return kprobe;
  const unknown = listFacets(filters).find((facet) => !ofAddress.has(facet));
  return unknown === undefined ? kprobe : err(`it does not know the ${unknown} of the socket`);
}

const ofAddress: ReadonlySet<string> = new Set([
  ...["destination", "destinationPort", "source", "sourcePort", "family"],
]);

const listFacets = ({ numbers, comparisons, texts, addresses }: RuleFilters): readonly Facet[] =>
  [...numbers, ...comparisons, ...texts, ...addresses].flatMap(({ facet }) =>
    ofProcess.has(facet) ? [] : [facet],
  );

type Facet = NumberFacet | TextFacet | AddressFacet;

/** Facets that every program has. */
const ofProcess: ReadonlySet<string> = new Set(["binary", "pid", "namespacePid"]);
