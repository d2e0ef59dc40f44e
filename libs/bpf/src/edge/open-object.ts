// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type BpfObject, parseBpfObject } from "../core/bpf-object.ts";
import { type BpfCalls, openBpfCalls } from "./bpf-call.ts";

export interface OpenedObject {
  readonly calls: BpfCalls;
  readonly object: BpfObject;
}

/** Reads an object of programs, and makes the directory that its maps and programs are pinned in. The error is one line. */
export function openObject(bytes: Uint8Array, directory: string): Result<OpenedObject, string> {
  const calls = openBpfCalls();
  if (!calls.ok) return calls;
  const object = parseBpfObject(bytes);
  if (!object.ok) return err(`the object of BPF programs: ${object.error}`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`cannot create ${directory}: ${describeError(error)}`);
  }
  return ok({ calls: calls.value, object: object.value });
}
