// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";

/** What a rule belongs to: for the agent alone, which adopts the rules of an earlier one. */
export interface RuleOwner {
  /** Of a policy's hook and selector. */
  readonly key: string;
  /** Of the rule's content. */
  readonly digest: string;
}

/** Struct rule_owner of bpf/rules.h. */
const OWNER_BYTES = 1_024;

export function encodeOwner({ key, digest }: RuleOwner): Result<Uint8Array, string> {
  const text = new TextEncoder().encode(`${key}\0${digest}\0`);
  if (text.length > OWNER_BYTES || key.includes("\0") || digest.includes("\0"))
    return err(`the name of what owns the rule is too long: ${key.slice(0, 256)}`);
  const bytes = new Uint8Array(OWNER_BYTES);
  bytes.set(text);
  return ok(bytes);
}

export function decodeOwner(bytes: Uint8Array): RuleOwner {
  const [key = "", digest = ""] = new TextDecoder().decode(bytes).split("\0");
  return { key, digest };
}
