// SPDX-License-Identifier: Apache-2.0
// Rules about connections and bind(2) in force on this kernel, for real processes in real cgroups.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { KernelRule, NumberFilter } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { readCgroupId } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { connectRule, execRule, placeRule } from "../harness/kernel-rules.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Enforcement, openEnforcement } from "./open-enforcement.ts";

const workspace = createWorkspace("enforce-connect");
let enforcement: Enforcement;
beforeAll(() => {
  enforcement = openEnforcement(workspace);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => enforcement.removeAll());

const toPorts = (ports: readonly number[]): NumberFilter => ({
  ...{ facet: "destinationPort", values: ports.map(BigInt), isNegated: false },
});
const toType = (type: "stream" | "datagram"): NumberFilter => ({
  ...{ facet: "socketType", values: [1n], isNegated: type === "datagram" },
});
const deny = (
  blocks: readonly string[],
  { isNegated = false, numbers = [] }: { isNegated?: boolean; numbers?: readonly NumberFilter[] } = {},
): KernelRule => connectRule({ numbers, addresses: [{ facet: "destination", blocks, isNegated }] });
/** What each of the calls ended with. */
const connect = (
  cgroup: string,
  ...calls: readonly (readonly [how: string, address: string, port?: number])[]
) => {
  const words = calls.flatMap(([how, address, port = 9]) => [how, address, String(port)]);
  const script = join(import.meta.dir, "connect.py");
  return runInCgroup(cgroup, ["python3", script, ...words])
    .stdout.trim()
    .split("\n");
};

const calls = [
  ...(["tcp", "udp", "sendto", "fastopen", "mptcp"] as const).map((how) => [how, "127.0.0.2"] as const),
  ...(["tcp", "udp", "sendto"] as const).flatMap((how) => [
    [how, "::ffff:127.0.0.2"] as const,
    [how, "::1"] as const,
    // The kernel connects it to ::1.
    [how, "::"] as const,
  ]),
];
test.each([
  { where: "in the container", cgroup: () => enforcement.container, result: "EPERM" },
  { where: "in its nested cgroups", cgroup: () => enforcement.nested, result: "EPERM" },
  { where: "in another container", cgroup: () => enforcement.neighbour, result: "passed" },
  { where: "outside of containers", cgroup: () => "/", result: "passed" },
])(
  "to an address $where ends with $result, by whichever call and in whichever form",
  ({ cgroup, result }) => {
    enforcement.put(1, deny(["127.0.0.2", "::1"]));
    const results = connect(cgroup(), ...calls);
    expect(calls.map((call, at) => [...call, results[at]])).toEqual(calls.map((call) => [...call, result]));
    const denied = result === "EPERM" ? BigInt(calls.length) : 0n;
    expect(enforcement.count(1)).toEqual({ matched: denied, denied });
  },
);

test("to the unspecified address is one to 127.0.0.1", () => {
  enforcement.put(1, deny(["127.0.0.1"]));
  expect(
    connect(enforcement.container, ["tcp", "0.0.0.0"], ["sendto", "::ffff:0.0.0.0"], ["tcp", "127.0.0.3"]),
  ).toEqual(["EPERM", "EPERM", "passed"]);
});

test("to a block fails, and one beside it does not", () => {
  enforcement.put(1, deny(["127.0.1.0/24"]));
  expect(connect(enforcement.container, ["tcp", "127.0.1.200"], ["tcp", "127.0.2.1"])).toEqual([
    "EPERM",
    "passed",
  ]);
});

test("to everything but a block: only the block is reached", () => {
  enforcement.put(1, deny(["127.0.1.0/24"], { isNegated: true }));
  expect(
    connect(enforcement.container, ["tcp", "127.0.1.200"], ["tcp", "127.0.2.1"], ["tcp", "::1"]),
  ).toEqual([...["passed", "EPERM", "EPERM"]]);
});

test("to a port fails for the ports of the rule", () => {
  enforcement.put(200, deny(["127.0.0.0/8"], { numbers: [toPorts([80, 443])] }));
  const ports = [80, 443, 8_080, 20_480].map((port) => ["tcp", "127.0.0.1", port] as const);
  expect(connect(enforcement.container, ...ports)).toEqual(["EPERM", "EPERM", "passed", "passed"]);
});

test("is judged by the kind of its socket", () => {
  enforcement.put(1, deny(["127.0.0.2"], { numbers: [toType("stream")] }));
  enforcement.put(2, deny(["127.0.0.3"], { numbers: [toType("datagram")] }));
  expect(connect(enforcement.container, ["tcp", "127.0.0.2"], ["sendto", "127.0.0.2"])).toEqual([
    "EPERM",
    "passed",
  ]);
  expect(connect(enforcement.container, ["tcp", "127.0.0.3"], ["sendto", "127.0.0.3"])).toEqual([
    "passed",
    "EPERM",
  ]);
});

test("is not judged by a rule about executions", () => {
  const values = ["/nowhere"];
  const rule = execRule({ texts: [{ facet: "arg0", match: "exact", values, isNegated: false }] });
  enforcement.put(1, rule);
  expect(connect(enforcement.container, ["tcp", "127.0.0.2"])).toEqual(["passed"]);
});

test("a rule with what is not an address is refused with it", () => {
  expect(
    enforcement.rules.change(
      [placeRule(1, deny(["10.0.0.0/33"]), new Set([readCgroupId(enforcement.container)]))],
      [],
    ),
  ).toEqual({
    ok: false,
    error: "not an address: 10.0.0.0/33",
  });
});

test("for which no memory is free is denied where a rule denies any", () => {
  const port80 = connectRule({ numbers: [toPorts([80])] });
  enforcement.put(1, port80);
  const scratch = enforcement.programs.map("event_scratch");
  const slots = Array.from({ length: scratch.info.maxEntries }, (_, slot) => slot);
  /** struct event begins with whether it is taken. */
  const setTaken = (taken: number): void => {
    const value = new Uint8Array(scratch.valueBytes);
    for (let at = 0; at < value.length; at += Math.ceil(scratch.info.valueSize / 8) * 8) value[at] = taken;
    for (const slot of slots) must(scratch.update(new Uint8Array(Uint32Array.of(slot).buffer), value));
  };
  const to81 = (cgroup: string) => connect(cgroup, ["tcp", "127.0.0.2", 81]);
  setTaken(1);
  try {
    expect(to81(enforcement.container)).toEqual(["EPERM"]);
    expect(to81(enforcement.neighbour)).toEqual(["passed"]);
    must(enforcement.rules.setEnforcing([1], false));
    expect(to81(enforcement.container)).toEqual(["passed"]);
  } finally {
    setTaken(0);
  }
  must(enforcement.rules.setEnforcing([1], true));
  expect(to81(enforcement.container)).toEqual(["passed"]);
});
