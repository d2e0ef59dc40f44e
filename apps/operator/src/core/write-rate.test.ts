// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createPodInfoPlan } from "./pod-info-plan.ts";
import { readSourcePod } from "./source-pod.ts";
import { createWriteRate } from "./write-rate.ts";

const limit = { perSecond: 100, burst: 100 };

/** Sends all that is allowed, for a time of virtual milliseconds; returns the requests of each second. */
function send(forMs: number, next: (nowMs: number) => boolean): readonly number[] {
  const rate = createWriteRate(limit);
  const perSecond: number[] = [];
  for (let nowMs = 0; nowMs < forMs; nowMs++) {
    while (rate.waitMs(nowMs) === 0 && next(nowMs)) {
      rate.take();
      const second = Math.floor(nowMs / 1000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
  }
  return perSecond;
}

test("no second has more requests than burst and rate together, and later ones have the rate", () => {
  const [first = 0, ...others] = send(10_000, () => true);
  expect(first).toBeLessThanOrEqual(limit.burst + limit.perSecond);
  expect(Math.max(...others)).toBeLessThanOrEqual(limit.perSecond + 1);
});

const toPod = (at: number, app: string) =>
  readSourcePod({
    metadata: { uid: `u-${at}`, name: `web-${at}`, namespace: "shop", labels: { app } },
    spec: { nodeName: "node-1" },
    status: { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] },
  });

test("10,000 pods, 200 created in a second and each changed five times meanwhile, take one write each within the rate", () => {
  const plan = createPodInfoPlan();
  plan.changePods({ kind: "all", objects: [] });
  plan.changeInfos({ kind: "all", objects: [] });
  const put = (at: number, app: string): void => {
    const pod = toPod(at, app);
    if (pod !== undefined) plan.changePods({ kind: "put", object: pod });
  };
  // A backlog of pods that change before their turn: only the last version is written.
  for (let at = 0; at < 10_000; at++) for (const app of ["a", "b", "c", "d", "e"]) put(at, app);
  let written = 0;
  const perSecond = send(120_000, () => {
    const write = plan.next();
    if (write === undefined) return false;
    expect(write.info.metadata.labels).toEqual({ app: "e" });
    plan.wrote(write.key, undefined);
    written++;
    return true;
  });
  expect(written).toBe(10_000);
  expect(Math.max(...perSecond.slice(1))).toBeLessThanOrEqual(limit.perSecond + 1);
});
