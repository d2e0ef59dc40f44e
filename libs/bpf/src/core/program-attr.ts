// SPDX-License-Identifier: Apache-2.0
// Layouts of union bpf_attr and of the answers about programs and links: include/uapi/linux/bpf.h.

import type { BpfProgram } from "./bpf-object.ts";
import { NAME_BYTES, programType } from "./commands.ts";

/** Addresses that stay valid during the call. */
interface LoadAddresses {
  readonly instructions: bigint;
  readonly license: bigint;
  readonly log: bigint;
}

const LOAD_BYTES = 120;
export const PROGRAM_INFO_BYTES = 80;
export const LINK_INFO_BYTES = 16;

/** `btfId`: the function in the kernel's BTF that the program is attached to, or 0. */
export function encodeProgramLoad(
  { name, type, attach, instructions }: BpfProgram,
  at: LoadAddresses,
  { logBytes, btfId }: { readonly logBytes: number; readonly btfId: number },
): Uint8Array {
  const bytes = new Uint8Array(LOAD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, programType[type], true);
  view.setUint32(4, instructions.length / 8, true);
  view.setBigUint64(8, at.instructions, true);
  view.setBigUint64(16, at.license, true);
  view.setUint32(24, logBytes === 0 ? 0 : 1, true);
  view.setUint32(28, logBytes, true);
  view.setBigUint64(32, at.log, true);
  bytes.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1), 48);
  view.setUint32(68, "attachType" in attach ? attach.attachType : 0, true);
  view.setUint32(108, btfId, true);
  return bytes;
}

/** `cookie`: of a perf event. */
export function encodeLinkCreate(
  programFd: number,
  targetFd: number,
  attachType: number,
  cookie = 0n,
): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, programFd, true);
  view.setUint32(4, targetFd, true);
  view.setUint32(8, attachType, true);
  view.setBigUint64(16, cookie, true);
  return bytes;
}

/** `event`: the address of its name, or 0 for a program that is attached by its BTF id. */
export function encodeRawTracepoint(programFd: number, event: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, event, true);
  view.setUint32(8, programFd, true);
  return bytes;
}

export function encodePath(path: bigint, fd: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, path, true);
  view.setUint32(8, fd, true);
  return bytes;
}

export function encodeInfo(fd: number, length: number, at: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fd, true);
  view.setUint32(4, length, true);
  view.setBigUint64(8, at, true);
  return bytes;
}

/** Struct perf_event_attr of include/uapi/linux/perf_event.h, of its second version. */
export function encodePerfEvent(type: number, config: bigint, name: bigint): Uint8Array {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setBigUint64(8, config, true);
  view.setBigUint64(56, name, true);
  return bytes;
}
