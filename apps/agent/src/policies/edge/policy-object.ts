// SPDX-License-Identifier: Apache-2.0
// A tracing policy as the API server has it.

import type { TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import * as v from "valibot";
import { KUBE_DOMAIN } from "../core/policy-domain.ts";
import type { PolicyName } from "../core/policy-store.ts";

export interface PolicyObject {
  readonly uid: string;
  readonly name: PolicyName;
  /** Of the newest version with this content. */
  resourceVersion: string;
  /** Of what the policy is made from: not of `status`, labels, annotations and managed fields. */
  readonly digest: string;
  readonly hasNodeSelector: boolean;
  /** As the API server sent it; undefined when it is parsed. */
  object: unknown;
  /** Parsed when it is the object's turn; of versions in quick succession only the last is parsed. */
  policy: Result<TracingPolicy, string> | undefined;
}

/** Of an object that is too large, only the metadata was read. */
const named = v.object({
  apiVersion: v.optional(v.unknown()),
  kind: v.optional(v.unknown()),
  metadata: v.object({
    uid: v.string(),
    name: v.string(),
    namespace: v.nullish(v.string()),
    resourceVersion: v.nullish(v.string(), ""),
  }),
  spec: v.optional(v.unknown()),
});

const withNodeSelector = v.object({ spec: v.object({ nodeSelector: v.unknown() }) });

/** Undefined for an object without a name. */
export function toPolicyObject(object: unknown): PolicyObject | undefined {
  const parsed = v.safeParse(named, object);
  if (!parsed.success) return undefined;
  const { apiVersion, kind, metadata, spec } = parsed.output;
  const { uid, name, namespace, resourceVersion } = metadata;
  const content = JSON.stringify([apiVersion, kind, spec]);
  return {
    ...{ uid, resourceVersion, object, policy: undefined },
    name: { name, namespace: namespace ?? "", domain: KUBE_DOMAIN },
    digest: new Bun.CryptoHasher("sha256").update(content).digest("base64"),
    hasNodeSelector: v.is(withNodeSelector, object),
  };
}

/** For an object of which only the name was read. */
export function toTooLargePolicy(object: unknown): PolicyObject | undefined {
  const found = toPolicyObject(object);
  // Another version may be too large in another way, but the error is the same.
  return (
    found && {
      ...found,
      object: undefined,
      policy: err("the object is too large: a policy has at most 8 MiB"),
    }
  );
}

/**
 * Whether the policy is the same in both versions of one object. Versions are equal in a list that comes again; for others the
 * content decides. `generation` would not do: in a storage that was restored from a backup it counts other changes.
 */
export const hasSamePolicy = (one: PolicyObject, other: PolicyObject): boolean =>
  (one.resourceVersion !== "" && one.resourceVersion === other.resourceVersion) ||
  one.digest === other.digest;
