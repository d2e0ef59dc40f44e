// SPDX-License-Identifier: Apache-2.0
// How long the filters of clients may take: they run before events reach the export and the other clients.

export interface FilterBudget {
  /** The client whose call must end: this one, or the one that has taken the most of what all may take. */
  spend(client: number, spentMs: number, nowMs: number): number | undefined;
}

/** Of each second. */
const allowedMs = 250;
const allowedForAllMs = 500;
const windowMs = 1000;

export function createFilterBudget(): FilterBudget {
  let beganMs = Number.NEGATIVE_INFINITY;
  const spent = new Map<number, number>();
  let sum = 0;

  const take = (client: number): number => {
    sum -= spent.get(client) ?? 0;
    spent.delete(client);
    return client;
  };

  return {
    spend(client, spentMs, nowMs) {
      if (nowMs - beganMs > windowMs) {
        beganMs = nowMs;
        spent.clear();
        sum = 0;
      }
      const own = (spent.get(client) ?? 0) + spentMs;
      spent.set(client, own);
      sum += spentMs;
      if (own > allowedMs) return take(client);
      if (sum <= allowedForAllMs) return undefined;
      const [most] = [...spent].toSorted(([, one], [, other]) => other - one);
      return most && take(most[0]);
    },
  };
}
