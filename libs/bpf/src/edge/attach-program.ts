// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, readFileSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import type { BpfProgram } from "../core/bpf-object.ts";
import { attachType } from "../core/commands.ts";
import { encodeLinkCreate, encodePerfEvent, encodeRawTracepoint } from "../core/program-attr.ts";
import { type ProgramError, toAttachError, toProgramError } from "../core/program-error.ts";
import type { BpfCalls } from "./bpf-call.ts";
import { readTracepointId } from "./trace-fs.ts";

const TRACEPOINT_PERF_TYPE = 2;

/** The descriptor of the link: the program is attached as long as the link is open or pinned. */
export function attachProgram(
  calls: BpfCalls,
  { name, attach }: BpfProgram,
  fd: number,
  /** Directory of the root of the v2 hierarchy. */
  cgroupRoot: string,
  /** At a tracepoint or a kprobe. */
  cookie = 0n,
): Result<number, ProgramError> {
  const judge = (done: Result<number, BpfError>): Result<number, ProgramError> =>
    done.ok ? done : err(toAttachError(name, attach, done.error));
  const fail = (reason: string): Result<number, ProgramError> => err(toProgramError(name, reason));

  switch (attach.kind) {
    case "raw_tracepoint": {
      const event = new TextEncoder().encode(`${attach.event}\0`);
      return judge(calls.bpf("RAW_TRACEPOINT_OPEN", name, encodeRawTracepoint(fd, calls.pointerTo(event))));
    }
    // The kernel has the function since the program was loaded.
    case "btf":
      return judge(calls.bpf("RAW_TRACEPOINT_OPEN", name, encodeRawTracepoint(fd, 0n)));
    case "tracepoint": {
      const id = readTracepointId(attach.group, attach.event);
      if (!id.ok) return fail(id.error);
      const event = encodePerfEvent(TRACEPOINT_PERF_TYPE, BigInt(id.value), 0n);
      return judge(linkPerfEvent(calls, name, fd, event, cookie));
    }
    case "kprobe": {
      const type = readKprobeType();
      if (type === undefined) return fail("the kernel is built without kprobes");
      const symbol = new TextEncoder().encode(`${attach.symbol}\0`);
      const event = encodePerfEvent(type, 0n, calls.pointerTo(symbol));
      return judge(linkPerfEvent(calls, name, fd, event, cookie));
    }
    case "cgroup": {
      const root = openDirectory(cgroupRoot);
      if (!root.ok) return fail(root.error);
      const link = calls.bpf("LINK_CREATE", name, encodeLinkCreate(fd, root.value, attach.attachType));
      closeSync(root.value);
      return judge(link);
    }
    case "called":
    case "template":
      return fail("its object does not name a place to attach it to");
  }
}

/** The link keeps the event. */
function linkPerfEvent(
  calls: BpfCalls,
  name: string,
  fd: number,
  event: Uint8Array,
  cookie: bigint,
): Result<number, BpfError> {
  const opened = calls.perfEventOpen(name, event);
  if (!opened.ok) return opened;
  const attr = encodeLinkCreate(fd, opened.value, attachType.perf_event, cookie);
  const link = calls.bpf("LINK_CREATE", name, attr);
  calls.close(opened.value);
  return link;
}

/** The number of the kind of events that kprobes are; undefined if the kernel is built without them. */
function readKprobeType(): number | undefined {
  try {
    return Number(readFileSync("/sys/bus/event_source/devices/kprobe/type", "utf8"));
  } catch {
    return undefined;
  }
}

function openDirectory(path: string): Result<number, string> {
  try {
    return ok(openSync(path, "r"));
  } catch (error) {
    return err(`cannot open the root of the cgroup hierarchy: ${describeError(error)}`);
  }
}
