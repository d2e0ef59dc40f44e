// SPDX-License-Identifier: Apache-2.0
// Whether the agent serves, for the health service and for metrics: it calls itself at the addresses that hooks use.

import type { ServerAddress } from "../../base/core/server-address.ts";
import { decideServing, type HealthProblem, type Reach, type ServiceName } from "../core/health.ts";
import { callSelf } from "../wire/call-self.ts";
import { greetSelf } from "./greet-self.ts";

export interface Serving {
  /** The agent listens at these addresses. */
  begin(addresses: readonly ServerAddress[]): void;
  /** The agent stops. */
  end(): void;
  check(): Promise<ReadonlyMap<ServiceName, boolean>>;
}

/** A call that takes longer is a sign of load. */
const CALL_MS = 2000;
/** However many clients ask, the agent does not call itself more often. */
const REUSE_MS = 1000;

/** `hasTls`: the TCP addresses have it. */
export function createServing(
  listProblems: () => readonly HealthProblem[],
  nowMs: () => number,
  hasTls: boolean,
): Serving {
  let addresses: readonly ServerAddress[] = [];
  let last: { readonly atMs: number; readonly reach: Promise<Reach> } | undefined;

  const findReach = (): Promise<Reach> => {
    if (last === undefined || nowMs() - last.atMs > REUSE_MS) {
      last = { atMs: nowMs(), reach: callAll(addresses, hasTls) };
    }
    return last.reach;
  };

  return {
    begin(listening) {
      addresses = listening;
      last = undefined;
    },
    end() {
      addresses = [];
      last = undefined;
    },
    async check() {
      const reach = await findReach();
      return decideServing(addresses.length === 0 ? "unreachable" : reach, listProblems());
    },
  };
}

async function callAll(addresses: readonly ServerAddress[], hasTls: boolean): Promise<Reach> {
  const deadline = new Date(Date.now() + CALL_MS);
  const all = await Promise.all(
    addresses.map((address) =>
      hasTls && address.kind === "tcp" ? greetSelf(address, CALL_MS) : callSelf(address, deadline),
    ),
  );
  return all.find((reach) => reach === "unreachable") ?? all.find((reach) => reach === "slow") ?? "answers";
}
