// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createLeaseWatch, type Lease, readLease, toLeaseSpec } from "./lease.ts";

const nowMs = Date.UTC(2026, 6, 1, 10, 0, 0, 250);

function leaseOf(spec: object): Lease {
  const lease = readLease(spec);
  if (lease === undefined) throw new Error("not a lease");
  return lease;
}

describe("the spec of a lease", () => {
  const taken = toLeaseSpec(undefined, { holder: "a", durationMs: 15_000, nowMs });

  test("that is new", () => {
    expect(taken).toEqual({
      ...{ holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 0 },
      ...{ acquireTime: "2026-07-01T10:00:00.250000Z", renewTime: "2026-07-01T10:00:00.250000Z" },
    });
  });

  test("that is renewed keeps the time at which it was taken", () => {
    const renewed = toLeaseSpec(leaseOf(taken), { holder: "a", durationMs: 15_000, nowMs: nowMs + 2_000 });
    expect(renewed).toEqual({ ...taken, renewTime: "2026-07-01T10:00:02.250000Z" });
  });

  test("that goes to another holder counts it, and keeps members of others", () => {
    const before = leaseOf({ ...taken, leaseTransitions: 4, strategy: "OldestEmulationVersion" });
    expect(toLeaseSpec(before, { holder: "b", durationMs: 15_000, nowMs })).toMatchObject({
      ...{ holderIdentity: "b", leaseTransitions: 5, strategy: "OldestEmulationVersion" },
      acquireTime: "2026-07-01T10:00:00.250000Z",
    });
  });

  test("that is released does not count a transition", () => {
    const released = toLeaseSpec(leaseOf(taken), { holder: "", durationMs: 15_000, nowMs });
    expect(released).toMatchObject({ holderIdentity: "", leaseTransitions: 0 });
  });

  test.each([
    ["of a lease without any", undefined, ""],
    ["with nulls", { holderIdentity: null, leaseDurationSeconds: null }, ""],
  ])("%s is read", (_name, spec, holder) => {
    expect(readLease(spec)).toMatchObject({ holder, durationMs: 0, transitions: 0 });
  });

  test("with other types is not read", () => {
    expect(readLease({ holderIdentity: 5 })).toBeUndefined();
    expect(readLease("text")).toBeUndefined();
  });
});

describe("a candidate", () => {
  const lease = (renewTime: string, holderIdentity = "a"): Lease =>
    leaseOf({ holderIdentity, leaseDurationSeconds: 15, renewTime });

  test("waits for the whole duration after the last change that it saw, however old the times are", () => {
    const watch = createLeaseWatch();
    const old = lease("2001-01-01T00:00:00.000000Z");
    expect(watch.mayHold(old, "b", 100)).toBe(false);
    expect(watch.mayHold(old, "b", 15_099)).toBe(false);
    expect(watch.mayHold(old, "b", 15_100)).toBe(true);
  });

  test("waits again when the lease is renewed, also by a clock that went back", () => {
    const watch = createLeaseWatch();
    expect(watch.mayHold(lease("2026-01-01T00:00:09.000000Z"), "b", 0)).toBe(false);
    expect(watch.mayHold(lease("2026-01-01T00:00:01.000000Z"), "b", 14_000)).toBe(false);
    expect(watch.mayHold(lease("2026-01-01T00:00:01.000000Z"), "b", 28_000)).toBe(false);
    expect(watch.mayHold(lease("2026-01-01T00:00:01.000000Z"), "b", 29_000)).toBe(true);
  });

  test("does not wait for its own lease, and not for a released one", () => {
    expect(createLeaseWatch().mayHold(lease("x", "b"), "b", 0)).toBe(true);
    expect(createLeaseWatch().mayHold(lease("x", ""), "b", 0)).toBe(true);
  });
});
