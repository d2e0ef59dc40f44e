// SPDX-License-Identifier: Apache-2.0

import { attachType, type ProgramType } from "./commands.ts";

/** What a program is attached to. */
export type AttachPoint =
  | { readonly kind: "raw_tracepoint"; readonly event: string }
  | { readonly kind: "tracepoint"; readonly group: string; readonly event: string }
  | { readonly kind: "kprobe"; readonly symbol: string }
  /** The hook's or function's name in the kernel's BTF decides. */
  | { readonly kind: "btf"; readonly symbol: string; readonly attachType: number }
  | { readonly kind: "cgroup"; readonly attachType: number }
  /** Other programs go on with it by a map of programs; the program itself is pinned, and no link. */
  | { readonly kind: "called" }
  /** Each instance of the program has a place of its own. */
  | { readonly kind: "template" };

export interface ProgramKind {
  readonly type: ProgramType;
  readonly attach: AttachPoint;
}

const cgroupPrograms: Readonly<Record<string, readonly [type: ProgramType, attachType: number]>> = {
  bind4: ["cgroup_sock_addr", attachType.cgroup_inet4_bind],
  bind6: ["cgroup_sock_addr", attachType.cgroup_inet6_bind],
  connect4: ["cgroup_sock_addr", attachType.cgroup_inet4_connect],
  connect6: ["cgroup_sock_addr", attachType.cgroup_inet6_connect],
  sendmsg4: ["cgroup_sock_addr", attachType.cgroup_udp4_sendmsg],
  sendmsg6: ["cgroup_sock_addr", attachType.cgroup_udp6_sendmsg],
  sock_create: ["cgroup_sock", attachType.cgroup_inet_sock_create],
  sysctl: ["cgroup_sysctl", attachType.cgroup_sysctl],
  device: ["cgroup_device", attachType.cgroup_device],
};

/** Programs of these types are attached to several places, if the section does not name one. */
const templates: readonly string[] = ["raw_tracepoint", "tracepoint", "kprobe", "lsm"];

/** A hook of BPF LSM by its name in include/linux/lsm_hook_defs.h. */
export const toLsmPoint = (hook: string): AttachPoint => ({
  ...{ kind: "btf", symbol: `bpf_lsm_${hook}`, attachType: attachType.lsm_mac },
});

/** From the name of its section, with libbpf's names: "raw_tracepoint/sys_enter", "lsm/file_open", "cgroup/connect4"; "lsm". */
export function parseProgramKind(section: string): ProgramKind | undefined {
  if (templates.includes(section)) {
    // It is one of the names in the list.
    return { type: section as ProgramType, attach: { kind: "template" } };
  }
  const [kind = "", first = "", second = "", ...rest] = section.split("/");
  if (first === "" || rest.length > 0 || (second !== "" && kind !== "tracepoint")) return undefined;
  switch (kind) {
    case "raw_tracepoint":
      return { type: kind, attach: { kind, event: first } };
    case "tracepoint":
      return second === "" ? undefined : { type: kind, attach: { kind, group: first, event: second } };
    case "kprobe":
      return { type: kind, attach: { kind, symbol: first } };
    case "lsm":
      return { type: kind, attach: toLsmPoint(first) };
    case "fentry":
      return {
        type: "tracing",
        attach: { kind: "btf", symbol: first, attachType: attachType.trace_fentry },
      };
    case "cgroup": {
      const program = Object.hasOwn(cgroupPrograms, first) ? cgroupPrograms[first] : undefined;
      return program && { type: program[0], attach: { kind, attachType: program[1] } };
    }
    default:
      return undefined;
  }
}
