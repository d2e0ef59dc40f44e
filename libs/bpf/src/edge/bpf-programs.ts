// SPDX-License-Identifier: Apache-2.0
// Programs and links by their file descriptors.

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import type { BpfProgram } from "../core/bpf-object.ts";
import {
  encodeInfo,
  encodePath,
  encodeProgramLoad,
  LINK_INFO_BYTES,
  PROGRAM_INFO_BYTES,
} from "../core/program-attr.ts";
import { type ProgramError, toLoadError } from "../core/program-error.ts";
import type { BpfCalls } from "./bpf-call.ts";

interface LoadOptions {
  /** With the descriptors of their maps. */
  readonly instructions: Uint8Array;
  readonly license: string;
  /** The function in the kernel's BTF that the program is attached to, or 0. */
  readonly btfId: number;
}

/** Large enough for the logs of programs that older kernels, which write nothing if it does not fit, refuse. */
const LOG_BYTES = 1 << 24;
const MAX_MAP_IDS = 64;

/** The descriptor of the program. The verifier's log is asked for after a failure only, since it makes a load slow. */
export function loadProgram(
  calls: BpfCalls,
  program: BpfProgram,
  { instructions, license, btfId }: LoadOptions,
): Result<number, ProgramError> {
  const licenseText = new TextEncoder().encode(`${license}\0`);
  const load = (log: Uint8Array): Result<number, BpfError> => {
    const at = {
      instructions: calls.pointerTo(instructions),
      license: calls.pointerTo(licenseText),
      log: calls.pointerTo(log),
    };
    const attr = encodeProgramLoad(program, at, { logBytes: log.length, btfId });
    return calls.bpf("PROG_LOAD", program.name, attr);
  };
  const loaded = load(new Uint8Array());
  if (loaded.ok) return loaded;
  const log = new Uint8Array(LOG_BYTES);
  const again = load(log);
  if (again.ok) return again;
  const text = new TextDecoder("latin1").decode(log.subarray(0, log.indexOf(0)));
  return { ok: false, error: toLoadError(program.name, program.type, loaded.error, text) };
}

/** The ids of the maps that the program behind a link uses. */
export function readMapIdsOfLink(calls: BpfCalls, linkFd: number): Result<readonly number[], BpfError> {
  const link = readInfo(calls, linkFd, LINK_INFO_BYTES);
  if (!link.ok) return link;
  const id = new Uint8Array(12);
  new DataView(id.buffer).setUint32(0, new DataView(link.value.buffer).getUint32(8, true), true);
  const program = calls.bpf("PROG_GET_FD_BY_ID", "", id);
  if (!program.ok) return program;
  const ids = readMapIdsOfProgram(calls, program.value);
  calls.close(program.value);
  return ids;
}

/** The ids of the maps that a program uses. */
export function readMapIdsOfProgram(calls: BpfCalls, fd: number): Result<readonly number[], BpfError> {
  const ids = new Uint32Array(MAX_MAP_IDS);
  const bytes = new Uint8Array(ids.buffer);
  const info = readInfo(calls, fd, PROGRAM_INFO_BYTES, (view) => {
    view.setUint32(52, MAX_MAP_IDS, true);
    view.setBigUint64(56, calls.pointerTo(bytes), true);
  });
  if (!info.ok) return info;
  const count = new DataView(info.value.buffer).getUint32(52, true);
  return ok([...ids.subarray(0, Math.min(count, MAX_MAP_IDS))]);
}

/** Of a map, a program or a link; different objects of one kind have different ids. */
export function readObjectId(calls: BpfCalls, fd: number): Result<number, BpfError> {
  // Structs bpf_map_info, bpf_prog_info and bpf_link_info begin with the type and the id.
  const info = readInfo(calls, fd, LINK_INFO_BYTES);
  return info.ok ? ok(new DataView(info.value.buffer).getUint32(4, true)) : info;
}

/** `prepare` sets what the call is to fill elsewhere. */
function readInfo(
  calls: BpfCalls,
  fd: number,
  length: number,
  prepare: (view: DataView) => void = () => {},
): Result<Uint8Array<ArrayBuffer>, BpfError> {
  const info = new Uint8Array(length);
  prepare(new DataView(info.buffer));
  const done = calls.bpf("OBJ_GET_INFO_BY_FD", "", encodeInfo(fd, length, calls.pointerTo(info)));
  return done.ok ? ok(info) : done;
}

export function pinObject(calls: BpfCalls, fd: number, path: string): Result<void, BpfError> {
  const target = new TextEncoder().encode(`${path}\0`);
  const done = calls.bpf("OBJ_PIN", path, encodePath(calls.pointerTo(target), fd));
  return done.ok ? ok(undefined) : done;
}

/** The descriptor of what is pinned there. */
export function openPinnedObject(calls: BpfCalls, path: string): Result<number, BpfError> {
  const target = new TextEncoder().encode(`${path}\0`);
  return calls.bpf("OBJ_GET", path, encodePath(calls.pointerTo(target), 0));
}
