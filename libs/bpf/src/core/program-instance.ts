// SPDX-License-Identifier: Apache-2.0

import type { Constant } from "./bpf-object.ts";
import type { AttachPoint } from "./program-kind.ts";

/**
 * One attachment of a program that is a template. It is loaded with constants that the verifier takes as known: it
 * examines, and the kernel translates, only what can be reached with them.
 */
export interface ProgramInstance {
  /** Part of the pin's name: letters, digits and "_". */
  readonly name: string;
  readonly attach: AttachPoint;
  /** In the place of what the object has, by the constant's name. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
  /** What bpf_get_attach_cookie() gives there, at a tracepoint or a kprobe. */
  readonly cookie?: bigint;
}

/** The constants of one instance; throws for one that the object does not have, or of another size. */
export function setInstanceConstants(
  constants: readonly Constant[],
  bytes: Uint8Array,
  instance: ProgramInstance,
): Uint8Array {
  const set = new Uint8Array(bytes);
  for (const [name, value] of instance.constants) {
    const constant = constants.find((one) => one.name === name);
    if (constant?.size !== value.length) throw new RangeError(`no constant ${name} of ${value.length} bytes`);
    set.set(value, constant.offset);
  }
  return set;
}

/** Equal for instances for which the same program can be loaded: all but the place of a tracepoint or a kprobe counts. */
export function renderProgram({ attach, constants }: ProgramInstance): string {
  const bytes = [...constants].map(([key, value]) => [key, value.toHex()]);
  return JSON.stringify([attach.kind === "btf" ? attach : "", bytes]);
}

/** Equal for instances that are attached to the same place, too. */
export const renderInstance = (instance: ProgramInstance): string =>
  JSON.stringify([instance.name, instance.attach, String(instance.cookie), renderProgram(instance)]);
