// SPDX-License-Identifier: Apache-2.0

import { attachType, type ProgramType } from "./commands.ts";

/** What a program is attached to. */
export type AttachPoint =
  | { readonly kind: "raw_tracepoint"; readonly event: string }
  | { readonly kind: "tracepoint"; readonly group: string; readonly event: string }
  | { readonly kind: "kprobe"; readonly symbol: string }
  /** The hook's or function's name in the kernel's BTF decides. */
  | { readonly kind: "btf"; readonly symbol: string; readonly attachType: number }
  | { readonly kind: "cgroup"; readonly attachType: number };

export interface ProgramKind {
  readonly type: ProgramType;
  readonly attach: AttachPoint;
}

const cgroupAttachTypes: Readonly<Record<string, number>> = {
  bind4: attachType.cgroup_inet4_bind,
  bind6: attachType.cgroup_inet6_bind,
  connect4: attachType.cgroup_inet4_connect,
  connect6: attachType.cgroup_inet6_connect,
  sendmsg4: attachType.cgroup_udp4_sendmsg,
  sendmsg6: attachType.cgroup_udp6_sendmsg,
};

/** From the name of its section, with libbpf's names: "raw_tracepoint/sys_enter", "lsm/file_open", "cgroup/connect4". */
export function parseProgramKind(section: string): ProgramKind | undefined {
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
      return {
        type: kind,
        attach: { kind: "btf", symbol: `bpf_lsm_${first}`, attachType: attachType.lsm_mac },
      };
    case "fentry":
      return {
        type: "tracing",
        attach: { kind: "btf", symbol: first, attachType: attachType.trace_fentry },
      };
    case "cgroup": {
      const type = Object.hasOwn(cgroupAttachTypes, first) ? cgroupAttachTypes[first] : undefined;
      return type === undefined
        ? undefined
        : { type: "cgroup_sock_addr", attach: { kind, attachType: type } };
    }
    default:
      return undefined;
  }
}
