// SPDX-License-Identifier: Apache-2.0
// A Lease of coordination.k8s.io/v1, by which one of several programs leads (client-go tools/leaderelection). The holder
// writes `renewTime` again and again; a candidate takes the lease if it has not changed for its duration. Only the
// candidate's own clock counts: clocks of nodes differ.

import * as v from "valibot";

export interface Lease {
  /** Empty if the last holder has released it. */
  readonly holder: string;
  /** How long the lease is valid after a change. */
  readonly durationMs: number;
  /** Times that the lease went to another holder. */
  readonly transitions: number;
  /** RFC 3339 with microseconds, from the holder's clock. */
  readonly acquireTime: string;
  /** All members, for a comparison and for those that only others use. */
  readonly spec: Readonly<Record<string, unknown>>;
}

const schema = v.looseObject({
  holderIdentity: v.nullish(v.string(), ""),
  leaseDurationSeconds: v.nullish(v.number(), 0),
  leaseTransitions: v.nullish(v.number(), 0),
  acquireTime: v.nullish(v.string(), ""),
});

/** `spec`: of the object. Undefined if it is not a lease's. */
export function readLease(spec: unknown): Lease | undefined {
  const parsed = v.safeParse(schema, spec ?? {});
  if (!parsed.success) return undefined;
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = parsed.output;
  return {
    holder: holderIdentity,
    durationMs: leaseDurationSeconds * 1000,
    transitions: leaseTransitions,
    acquireTime,
    spec: parsed.output,
  };
}

interface NewHolder {
  readonly holder: string;
  readonly durationMs: number;
  /** Unix time. */
  readonly nowMs: number;
}

/** The spec with which the holder takes or renews the lease; an empty holder releases it. `lease`: before; undefined for a new one. */
export function toLeaseSpec(
  lease: Lease | undefined,
  { holder, durationMs, nowMs }: NewHolder,
): Lease["spec"] {
  const now = new Date(nowMs).toISOString().replace("Z", "000Z");
  const isSame = lease !== undefined && lease.holder === holder;
  const transitions = lease?.transitions ?? 0;
  const isTaken = lease !== undefined && !isSame && holder !== "";
  return {
    ...lease?.spec,
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: isSame ? lease.acquireTime : now,
    renewTime: now,
    leaseTransitions: isTaken ? transitions + 1 : transitions,
  };
}

export interface LeaseWatch {
  /** Notes the lease as it is at `nowMs` (any monotonic clock), and returns whether `holder` may take or keep it. */
  mayHold(lease: Lease, holder: string, nowMs: number): boolean;
}

export function createLeaseWatch(): LeaseWatch {
  let seen = "";
  let changedMs = 0;
  return {
    mayHold(lease, holder, nowMs) {
      const now = JSON.stringify(lease.spec);
      if (now !== seen) {
        seen = now;
        changedMs = nowMs;
      }
      return lease.holder === "" || lease.holder === holder || nowMs - changedMs >= lease.durationMs;
    },
  };
}
