// SPDX-License-Identifier: Apache-2.0
// A container whose processes move to cgroups that they have made a moment ago does not leave its policies.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  openHookPrograms,
  openProgramSet,
  openRuleMaps,
  type PlacedRule,
  type ProgramSet,
  type RuleMaps,
} from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import type { KernelRule } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { buildBare } from "../harness/build-bare.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectory, readCgroupId } from "../harness/cgroup.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { connectRule, execRule, placeRule } from "../harness/kernel-rules.ts";
import { createRunc } from "../harness/runc.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { call } from "./open-hooks.ts";

const attempts = 4_000;
const workspace = createWorkspace("hopping");
let programs: ProgramSet;
let rules: RuleMaps;
let hop: string;
/** Of the system call that hop makes. */
let callId: number;

beforeAll(() => {
  const directory = join(mountBpfFs(workspace), "enforcement");
  const cgroupRoot = findCgroupDirectory("/");
  programs = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot }));
  workspace.onClose(() => {
    for (const name of must(programs.attached())) programs.detach(name);
    programs.close();
  });
  for (const name of ["kill_exec", "connect_ipv4", "connect_ipv6"]) must(programs.attach(name));
  rules = must(openRuleMaps(programs));
  const hooks = must(openHookPrograms({ directory, cgroupRoot, enforce: programs }));
  workspace.onClose(() => {
    must(hooks.detachUnused([]));
    hooks.close();
  });
  callId = must(hooks.attach(makeFifo));
  hop = buildBare(join(import.meta.dir, "hop.c"), workspace.path("."));
}, 60_000);
afterAll(() => workspace.close(), 60_000);
beforeEach(() => must(rules.change([], [...rules.active()])));

const exec = execRule({
  texts: [{ facet: "arg0", match: "exact", values: ["/out/forbidden"], isNegated: false }],
});
const connect = connectRule({
  addresses: [{ facet: "destination", blocks: ["127.0.0.2"], isNegated: false }],
});
const makeFifo = call("mknodat");
const onCall = (effects: KernelRule["effects"]): KernelRule => ({
  ...{ hooks: [makeFifo], filters: { numbers: [], comparisons: [], texts: [], addresses: [] } },
  ...{ effects, posts: true, rateLimit: undefined },
});
const toConnect = `connect ${0x7f000002}`;

/** Starts a real container and, with the rule in force for it, runs hop in it. */
async function hopInContainer(
  name: string,
  words: string,
  rule: KernelRule | undefined,
  change: Partial<PlacedRule> = {},
): Promise<string> {
  const runc = createRunc(workspace);
  const script = [
    firstActScript,
    "while [ ! -e /out/begin ]; do sleep 0.02; done",
    // The container's cgroup, as its processes find it below the hierarchy's root.
    'while IFS=: read -r _ controllers path; do [ -z "$controllers" ] && own=$path; done < /proc/self/cgroup',
    `/out/hop ${words.replace("CGROUP", '"/cgroups$own"')} > /out/counts`,
  ].join("; ");
  const bundle: Bundle = createBundle(workspace, {
    ...{ id: `${name}-${workspace.tag}`, cgroupsPath: `${runc.cgroupParent}/${name}`, script },
    binds: { "/cgroups": findCgroupDirectory("/") },
  });
  for (const program of ["hop", "forbidden"]) copyFileSync(hop, join(bundle.outDir, program));
  const running = runc.start(bundle);
  const { cgroupPath } = await waitForFirstAct(running, bundle.outDir);
  const id = readCgroupId(cgroupPath);
  must(rules.putContainer(id, cgroupPath.split("/").length - 1, new Set()));
  if (rule !== undefined) must(rules.change([placeRule(1, rule, new Set([id]), change)], []));
  writeFileSync(join(bundle.outDir, "begin"), "");
  const { exitCode, stderr } = await running.exited;
  expect([exitCode, stderr]).toEqual([0, ""]);
  must(rules.removeContainer(id));
  return readFileSync(join(bundle.outDir, "counts"), "utf8");
}

/** Of processes that got through, that did not, and that ended otherwise; and of cgroups that they came to. */
const toCounts = (text: string) => {
  const [through, stopped, otherwise, cgroups = 0] = text.trim().split(" ").map(Number);
  return { through, stopped, otherwise, cgroups };
};

test.each([
  { what: "an execution, after the process has moved itself", words: "exec /out/forbidden self", rule: exec },
  { what: "an execution, while the process is moved on", words: "exec /out/forbidden other", rule: exec },
  { what: "a connection, after the process has moved itself", words: `${toConnect} self`, rule: connect },
  { what: "a connection, while the process is moved on", words: `${toConnect} other`, rule: connect },
])(
  "nothing gets through: $what to a cgroup that is new",
  async ({ words, rule }) => {
    const [kind, , who] = words.split(" ");
    const name = `${kind}-${who}`;
    // Without the rule each attempt gets through, or the next count says nothing.
    const free = toCounts(await hopInContainer(`${name}-free`, `${words} CGROUP 20`, undefined));
    expect(free).toEqual({ through: 20, stopped: 0, otherwise: 0, cgroups: expect.any(Number) });
    const held = toCounts(await hopInContainer(name, `${words} CGROUP ${attempts}`, rule));
    expect(held).toEqual({ through: 0, stopped: attempts, otherwise: 0, cgroups: expect.any(Number) });
    expect(held.cgroups).toBeGreaterThanOrEqual(attempts);
  },
  300_000,
);

test.each([
  { what: "killed by its rule, after the process has moved itself", effect: "kill", who: "self" },
  { what: "killed by its rule, while the process is moved on", effect: "kill", who: "other" },
  { what: "reported, after the process has moved itself", effect: "post", who: "self" },
  { what: "reported, while the process is moved on", effect: "post", who: "other" },
] as const)(
  "each process that makes a system call is $what to a cgroup that is new",
  async ({ effect, who }) => {
    const kills = effect === "kill";
    const rule = onCall(kills ? [{ kind: "kill" }] : []);
    const words = `call /out/fifo ${who} CGROUP ${attempts}`;
    const held = toCounts(
      await hopInContainer(`call-${effect}-${who}`, words, rule, { hookIds: new Set([callId]) }),
    );
    const [through, stopped] = kills ? [0, attempts] : [attempts, 0];
    expect(held).toEqual({ through, stopped, otherwise: 0, cgroups: expect.any(Number) });
    expect(held.cgroups).toBeGreaterThanOrEqual(attempts);
    const { post, signal } = must(rules.counts(1));
    expect({ post, signal }).toEqual({ post: BigInt(attempts), signal: kills ? BigInt(attempts) : 0n });
  },
  300_000,
);
