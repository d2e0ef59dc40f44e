// SPDX-License-Identifier: Apache-2.0
// One attempt at a time to take or renew a lease.

import { createLeaseWatch, type Lease, readLease, toLeaseSpec } from "../core/lease.ts";
import { type ApiError, noAnswer } from "./api-error.ts";
import { CONFLICT, type KubeObject, type ObjectClient } from "./object-client.ts";

export interface LeaseLock {
  /** Takes the lease if it is free or has expired, renews it if this program holds it. */
  attempt(): Promise<LeaseOutcome>;
  /** Lets another program take the lease at once. */
  release(): Promise<void>;
}

export type LeaseOutcome =
  /** `tookMs`: from before the request to its answer. Others count the lease's duration from a moment in between. */
  | { readonly kind: "granted"; readonly tookMs: number }
  | { readonly kind: "held"; readonly holder: string }
  | { readonly kind: "failed"; readonly error: ApiError };

type Attempt = "granted" | "held" | ApiError;

interface LeaseLockOptions {
  readonly objects: ObjectClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all programs that want the lease. */
  readonly identity: string;
  readonly durationMs: number;
}

export function createLeaseLock(options: LeaseLockOptions): LeaseLock {
  const { objects, namespace, name, identity, durationMs } = options;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${collection}/${encodeURIComponent(name)}`;
  const watch = createLeaseWatch();
  /** As this program wrote it last; undefined if it does not hold the lease. */
  let own: { readonly object: KubeObject; readonly lease: Lease } | undefined;

  const toSpec = (lease: Lease | undefined, holder = identity): Lease["spec"] =>
    toLeaseSpec(lease, { holder, durationMs, nowMs: Date.now() });

  const keep = (object: KubeObject): void => {
    const lease = readLease(object["spec"]);
    own = lease === undefined ? undefined : { object, lease };
  };

  const create = async (): Promise<Attempt> => {
    const created = await objects.create(collection, {
      ...{ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace } },
      spec: toSpec(undefined),
    });
    if (created.ok) keep(created.value);
    if (created.ok) return "granted";
    return created.error.status === CONFLICT ? "held" : created.error;
  };

  const replace = async (object: KubeObject, lease: Lease): Promise<Attempt> => {
    own = undefined;
    const replaced = await objects.replace(path, { ...object, spec: toSpec(lease) });
    if (replaced.ok) keep(replaced.value);
    if (replaced.ok) return "granted";
    return replaced.error.status === CONFLICT ? "held" : replaced.error;
  };

  return {
    async attempt() {
      const beganMs = performance.now();
      let holder = "";
      const work = async (): Promise<Attempt> => {
        if (own !== undefined) {
          const renewed = await replace(own.object, own.lease);
          // Another program has written it: the next step finds who holds it.
          if (renewed !== "held") return renewed;
        }
        const found = await objects.read(path);
        if (!found.ok) return found.error;
        if (found.value === undefined) return await create();
        const lease = readLease(found.value["spec"]);
        if (lease === undefined) return noAnswer(`${path} is not a lease`);
        holder = lease.holder;
        return watch.mayHold(lease, identity, performance.now()) ? await replace(found.value, lease) : "held";
      };
      const outcome = await work();
      if (outcome === "granted") return { kind: "granted", tookMs: performance.now() - beganMs };
      return outcome === "held" ? { kind: "held", holder } : { kind: "failed", error: outcome };
    },
    async release() {
      if (own === undefined) return;
      const { object, lease } = own;
      own = undefined;
      // An error leaves the lease to expire.
      await objects.replace(path, { ...object, spec: { ...toSpec(lease, ""), leaseDurationSeconds: 1 } });
    },
  };
}
