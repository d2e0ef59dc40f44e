// SPDX-License-Identifier: Apache-2.0
// Probes by trial, not by kernel version, which programs this process can load and attach.

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { BpfProgram } from "../core/bpf-object.ts";
import type { ProgramError } from "../core/program-error.ts";
import { parseProgramKind } from "../core/program-kind.ts";
import { attachProgram } from "./attach-program.ts";
import { type BpfCalls, openBpfCalls } from "./bpf-call.ts";
import type { BpfMap } from "./bpf-map.ts";
import { toBpf } from "./open-bpf.ts";
import { createProgramLoader } from "./program-loader.ts";

/** By the capability's name, the section of a program that needs it. */
const sections = {
  bpf_raw_tracepoint: "raw_tracepoint/sched_process_exec",
  bpf_tracepoint: "tracepoint/sched/sched_process_exec",
  bpf_cgroup_connect: "cgroup/connect4",
  bpf_cgroup_bind: "cgroup/bind4",
  bpf_cgroup_sock: "cgroup/sock_create",
  bpf_kprobe: "kprobe/security_bprm_check",
  bpf_fentry: "fentry/security_bprm_check",
  // Called for each bpf(2), so that the probe itself shows whether the kernel calls such programs.
  bpf_lsm: "lsm/bpf",
} as const; // const: the names are a union

/** The error is one line with the reason. */
export type ProgramCapabilities = Readonly<Record<keyof typeof sections, Result<void, string>>>;

/**
 * Attaches programs that do nothing, and detaches them. Takes some 100 ms, since it reads the types of the kernel.
 * `cgroupRoot`: directory of the root of the v2 hierarchy.
 */
export function probePrograms(cgroupRoot: string): ProgramCapabilities {
  const calls = openBpfCalls();
  const probe = (section: string): Result<void, string> =>
    calls.ok ? probeOne(calls.value, section, cgroupRoot) : calls;
  return {
    bpf_raw_tracepoint: probe(sections.bpf_raw_tracepoint),
    bpf_tracepoint: probe(sections.bpf_tracepoint),
    bpf_cgroup_connect: probe(sections.bpf_cgroup_connect),
    bpf_cgroup_bind: probe(sections.bpf_cgroup_bind),
    bpf_cgroup_sock: probe(sections.bpf_cgroup_sock),
    bpf_kprobe: probe(sections.bpf_kprobe),
    bpf_fentry: probe(sections.bpf_fentry),
    bpf_lsm: probe(sections.bpf_lsm),
  };
}

/** The value is set when the program has run. */
const RAN = "ran";

function probeOne(calls: BpfCalls, section: string, cgroupRoot: string): Result<void, string> {
  const bpf = toBpf(calls);
  const ran = bpf.createMap({ type: "array", name: RAN, keySize: 4, valueSize: 8, maxEntries: 1 });
  if (!ran.ok) return err(renderBpfError(ran.error));
  const program = createProbe(section);
  const object = { constants: [], constantBytes: new Uint8Array(), license: "Dual BSD/GPL" };
  const loader = createProgramLoader(calls, bpf, object, new Map([[RAN, ran.value]]));
  try {
    const fd = loader.load(program);
    if (!fd.ok) return err(withoutName(fd.error));
    const link = attachProgram(calls, program, fd.value, cgroupRoot);
    loader.release(fd.value);
    if (!link.ok) return err(withoutName(link.error));
    const judged = program.type === "lsm" ? judgeLsm(ran.value) : ok(undefined);
    calls.close(link.value);
    return judged;
  } finally {
    loader.close();
    ran.value.close();
  }
}

/** Users do not have to know of the probe. */
const withoutName = ({ reason }: ProgramError): string => reason.replace(/^program \w+: /, "");

function judgeLsm(ran: BpfMap): Result<void, string> {
  const value = ran.lookup(new Uint8Array(4));
  if (!value.ok) return err(renderBpfError(value.error));
  return value.value?.some((byte) => byte !== 0)
    ? ok(undefined)
    : err("the kernel runs without BPF LSM: add bpf to lsm= on its command line");
}

/** Of include/linux/filter.h: the first word of an instruction has its code, registers and offset, the second a number. */
const instruction = {
  /** r1 = the address of a map; two words. */
  loadMap: [0x0118, 0, 0, 0],
  /** *(u32 *)(r10 - 4) = 0 */
  clearKey: [0xfffc_0a62, 0],
  /** r2 = r10; r2 += -4 */
  pointToKey: [0xa2bf, 0, 0x0207, -4],
  /** bpf_map_lookup_elem(r1, r2) */
  lookup: [0x0085, 1],
  /** if r0 == 0 goto the instruction after the next */
  skipIfMissing: [0x0001_0015, 0],
  /** *(u64 *)(r0 + 0) = 1 */
  set: [0x007a, 1],
  exit: [0x0095, 0],
} as const;

/** Sets the value of the map, and lets pass what it is asked about: a cgroup's program by 1, others by 0. */
function createProbe(section: string): BpfProgram {
  const kind = parseProgramKind(section);
  if (kind === undefined) throw new Error(`not a kind of program: ${section}`);
  const { clearKey, pointToKey, loadMap, lookup, skipIfMissing, set, exit } = instruction;
  const giveResult = [0x00b7, kind.attach.kind === "cgroup" ? 1 : 0];
  const words = [clearKey, pointToKey, loadMap, lookup, skipIfMissing, set, giveResult, exit].flat();
  return {
    ...kind,
    name: "probe",
    instructions: new Uint8Array(Int32Array.from(words).buffer),
    references: [{ instruction: 3, map: RAN, offset: 0 }],
  };
}
