// SPDX-License-Identifier: Apache-2.0

import type { BpfError } from "./bpf-error.ts";
import type { AttachPoint } from "./program-kind.ts";
import { findReason } from "./verifier-log.ts";

/** Why a program is not in force. */
export interface ProgramError {
  readonly program: string;
  /** One line: what was tried, what the kernel answered, what is missing. */
  readonly reason: string;
  /** The verifier's log; empty if it has not examined the program. */
  readonly log: string;
  /** Of the kernel's answer to an attachment. */
  readonly code?: BpfError["code"];
}

export const toProgramError = (program: string, reason: string, log = ""): ProgramError => ({
  program,
  reason: `program ${program}: ${reason}`,
  log,
});

/** `log`: what the verifier wrote. */
export function toLoadError(
  program: string,
  type: string,
  { code, message }: BpfError,
  log: string,
): ProgramError {
  const said = findReason(log);
  if (said !== "") return toProgramError(program, `the kernel's verifier refuses it: ${said}`, log);
  const hint =
    code === "EPERM" || code === "EINVAL"
      ? ` (the agent lacks CAP_BPF and CAP_PERFMON, or the kernel has no programs of this type)`
      : "";
  return toProgramError(program, `loading it as ${type}: ${message}${hint}`, log);
}

/** "the kernel function tcp_connect" */
function describeAttachPoint(point: AttachPoint): string {
  switch (point.kind) {
    case "raw_tracepoint":
      return `the raw tracepoint ${point.event}`;
    case "tracepoint":
      return `the tracepoint ${point.group}/${point.event}`;
    case "kprobe":
      return `the kernel function ${point.symbol}`;
    case "btf":
      return `the kernel function ${point.symbol}`;
    case "cgroup":
      return "the root of the cgroup hierarchy";
    case "called":
      return "a map of programs";
    case "template":
      return "a place that its object does not name";
  }
}

export function toAttachError(
  program: string,
  point: AttachPoint,
  { code, message }: BpfError,
): ProgramError {
  const hint = code === "ENOENT" ? "the kernel does not have it" : findHint(point, code);
  const line = `attaching it to ${describeAttachPoint(point)}: ${message}`;
  return { ...toProgramError(program, hint === "" ? line : `${line} (${hint})`), code };
}

function findHint(point: AttachPoint, code: BpfError["code"]): string {
  if (point.kind === "cgroup" && code === "EPERM")
    return "another program is attached there in a way that excludes others";
  // BPF_TRACE_MAX_PROGS of kernel/trace/bpf_trace.c.
  if (point.kind === "tracepoint" && code === "E2BIG")
    return "64 programs are attached there: the kernel allows no more";
  if (point.kind === "cgroup" && code === "EBADF") return "it is not a directory of cgroup v2";
  return "";
}
