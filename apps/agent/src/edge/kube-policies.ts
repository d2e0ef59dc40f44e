// SPDX-License-Identifier: Apache-2.0
// Tracing policies that are objects of the API server.

import { type ApiClient, type Telling, watchResource } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { parseTracingPolicy, renderProblem, type TracingPolicy } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import * as v from "valibot";
import type { PolicyName, PolicyStore } from "../core/policy-store.ts";

const DOMAIN = "k8s";
const plurals = ["tracingpolicies", "tracingpoliciesnamespaced"] as const; // const: the names are a union

const named = v.object({
  metadata: v.object({ uid: v.string(), name: v.string(), namespace: v.nullish(v.string()) }),
});

interface PolicyObject {
  readonly uid: string;
  readonly name: PolicyName;
  readonly policy: Result<TracingPolicy, string>;
}

/** Undefined for what has no name to be listed by. */
function toPolicyObject(object: unknown): PolicyObject | undefined {
  const parsed = v.safeParse(named, object);
  if (!parsed.success) return undefined;
  const { uid, name, namespace } = parsed.output.metadata;
  const policy = parseTracingPolicy(object);
  return {
    uid,
    name: { name, namespace: namespace ?? "", domain: DOMAIN },
    policy: policy.ok ? policy : { ok: false, error: policy.error.map(renderProblem).join("; ") },
  };
}

/** Keeps the store as the API server has them. Gives the function that ends it. `onAll`: all of both kinds are known. */
export function watchPolicies(
  client: ApiClient,
  policies: PolicyStore,
  log: Logger,
  onAll: () => void,
): () => void {
  const unknown = new Set<string>(plurals);
  const noteAll = (plural: string): void => {
    if (unknown.delete(plural) && unknown.size === 0) onAll();
  };
  const watches = plurals.map((plural) => {
    const names = new Map<string, PolicyName>();

    const put = ({ uid, name, policy }: PolicyObject): void => {
      names.set(uid, name);
      if (!policy.ok) policies.reject(name, policy.error);
      const done = policy.ok ? policies.put(DOMAIN, policy.value) : policy;
      const fields = { name: name.name, namespace: name.namespace };
      if (done.ok) log.info("tracing policy of the API server is in force", fields);
      else log.error("tracing policy of the API server is not used", { ...fields, err: done.error });
    };
    const remove = (uid: string): void => {
      const name = names.get(uid);
      names.delete(uid);
      if (name === undefined) return;
      // One that was made anew under the name is another object, and is there already.
      if ([...names.values()].some((other) => other.name === name.name && other.namespace === name.namespace))
        return;
      policies.remove(name);
      log.info("tracing policy of the API server is gone", { name: name.name, namespace: name.namespace });
    };
    const onTelling = (telling: Telling<PolicyObject>): void => {
      if (telling.kind === "put") put(telling.object);
      else if (telling.kind === "deleted") remove(telling.uid);
      else {
        const kept = new Set(telling.objects.map(({ uid }) => uid));
        for (const object of telling.objects) put(object);
        for (const uid of [...names.keys()]) if (!kept.has(uid)) remove(uid);
        noteAll(plural);
      }
    };
    return watchResource({
      ...{ client, log, onTelling, fieldSelector: "", what: plural, parse: toPolicyObject },
      path: `/apis/cilium.io/v1alpha1/${plural}`,
    });
  });
  return () => {
    for (const watch of watches) watch.close();
  };
}
