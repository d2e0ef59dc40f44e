// SPDX-License-Identifier: Apache-2.0
// The functions through which the kernel calls LSM hooks (security/security.c). Most have the hook's name and arguments.

import type { ArgumentSource } from "./place-arguments.ts";

const prefix = "security_";

/** By the hook. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ["bprm_check_security", "bprm_check"],
  ["bpf_map_alloc_security", "bpf_map_alloc"],
  ["bpf_prog_alloc_security", "bpf_prog_alloc"],
  ["file_alloc_security", "file_alloc"],
  ["inode_alloc_security", "inode_alloc"],
  ["sk_alloc_security", "sk_alloc"],
]);

const hooks = new Map([...otherNames].map(([hook, name]) => [name, hook]));

/** Undefined for a function that calls none. */
export function toLsmHook(name: string): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const own = name.slice(prefix.length);
  return hooks.get(own) ?? own;
}

export const toLsmFunction = (hook: string): string => `${prefix}${otherNames.get(hook) ?? hook}`;

/** Whether the function's arguments are those of the hook. */
export const hasSameArguments = (name: string): boolean => name !== "security_mmap_file";

/** Place of the function's argument among those of the hook: mmap_file(file, reqprot, prot, flags) has one more. */
const toHookIndex = (hook: string, index: number): number =>
  hook === "mmap_file" && index === 2 ? 3 : index;

const toFunctionIndex = (hook: string, index: number): number =>
  hook === "mmap_file" && index > 1 ? index - 1 : index;

const lsm: Pick<ArgumentSource, "name" | "without"> = {
  name: "an LSM hook",
  without: new Set(["char_buf", "data_loc", "fd"]),
};

/** `isFunction`: the indexes of the policy are those of the function. */
export const argumentsOfLsm = (hook: string, isFunction: boolean): ArgumentSource => ({
  ...lsm,
  toIndex: (index) => (isFunction ? index : toFunctionIndex(hook, index)),
  toPlace: (index) => (isFunction ? toHookIndex(hook, index) : index),
});
