// SPDX-License-Identifier: Apache-2.0
// How a program reads the arguments of an LSM hook, and whether the running kernel passes them.

import { err, ok, type Result } from "@rthooks/result";
import { type Btf, btfKind } from "./btf.ts";
import { skipWrappers } from "./btf-field.ts";
import type { ArgumentRead } from "./hook-constants.ts";
import type { LsmHook, LsmReading } from "./lsm-hooks.ts";

/** Of bpf/facets.h. */
const facet = { protocol: 7, family: 8, socketType: 9 };
/** SOCKET_NO_… and SOCKADDR_SOURCE of bpf/arguments.h. */
const [NO_DESTINATION, NO_SOURCE, SOURCE] = [1, 2, 1];

/** `type`: of the kernel, as `describeType` has it. */
interface Row {
  readonly argument: ArgumentRead;
  readonly type: string;
}

const number = (bytes: number, isSigned: boolean): Row => ({
  argument: { reading: "number", bytes, other: isSigned ? 1 : 0 },
  type: `number of ${bytes} bytes`,
});
const pointer = (reading: ArgumentRead["reading"], struct: string, other = 0): Row => ({
  argument: { reading, other },
  type: `pointer to ${struct}`,
});
const known = (number: number): Row => ({
  argument: { reading: "facet", bytes: 4, other: number },
  type: "number of 4 bytes",
});

const rows: Readonly<Record<LsmReading, Row | undefined>> = {
  ...{ int32: number(4, true), uint32: number(4, false), uint64: number(8, false) },
  ...{ uint16: number(2, false), bool: number(1, false) },
  text: pointer("kernelString", "char"),
  ...{ file: pointer("file", "file"), path: pointer("path", "path") },
  ...{ linux_binprm: pointer("binprm", "linux_binprm"), mapping: pointer("mapping", "vm_area_struct") },
  ...{ mount: pointer("mount", "vfsmount"), dentry: pointer("dentry", "dentry") },
  "dentry of 0": pointer("dentry", "dentry", 1),
  "dentry of 1": pointer("dentry", "dentry", 2),
  "dentry of 2": pointer("dentry", "dentry", 3),
  ...{ socket: pointer("socket", "socket"), sock: pointer("sock", "sock") },
  "socket to connect": pointer("socket", "socket", NO_DESTINATION),
  "socket to bind": pointer("socket", "socket", NO_SOURCE),
  ...{ destination: pointer("sockaddr", "sockaddr"), source: pointer("sockaddr", "sockaddr", SOURCE) },
  ...{ message: pointer("message", "msghdr"), cred: pointer("cred", "cred") },
  task: pointer("task", "task_struct"),
  ...{ family: known(facet.family), "socket type": known(facet.socketType), protocol: known(facet.protocol) },
  skip: undefined,
};

export const readLsmArguments = ({ args }: LsmHook): readonly ArgumentRead[] =>
  args.map((reading) => rows[reading]?.argument ?? { reading: "nothing" });

/** The error names the argument in which the kernel differs. */
export function checkLsmHook(kernel: Btf, { name, args }: LsmHook): Result<void, string> {
  const id = kernel.find(btfKind.func, `bpf_lsm_${name}`)?.id;
  const parameters = id === undefined ? undefined : kernel.parameters(id);
  if (parameters === undefined) return err(`the kernel has no LSM hook ${name}`);
  for (const [at, reading] of args.entries()) {
    const [wanted, type] = [rows[reading]?.type, parameters[at]];
    const found = type === undefined ? "nothing" : describeType(kernel, type);
    if (wanted !== undefined && wanted !== found)
      return err(`argument ${at} of the kernel's LSM hook ${name} is ${found}, not ${wanted}`);
  }
  return ok(undefined);
}

/** "pointer to file", "number of 4 bytes" */
function describeType(kernel: Btf, id: number): string {
  const type = kernel.get(skipWrappers(kernel, id));
  if (type === undefined) return "nothing";
  if (type.kind !== btfKind.pointer) return `number of ${type.size} bytes`;
  return `pointer to ${kernel.get(skipWrappers(kernel, type.type))?.name ?? "nothing"}`;
}
