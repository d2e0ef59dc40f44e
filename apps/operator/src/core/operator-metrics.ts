// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Registry } from "prom-client";

type CrdOutcome = "created" | "upgraded" | "kept" | "newer" | "failed";

export interface OperatorMetrics {
  countCrd(outcome: CrdOutcome): void;
  countWrite(outcome: "created" | "replaced" | "conflict" | "failed"): void;
  countElection(outcome: "gained" | "lost" | "failed"): void;
  /** All metrics, for docs/reference. */
  readonly registry: Registry;
  /** In the Prometheus text format. */
  render(state: {
    readonly leads: boolean;
    readonly serves: boolean;
    readonly podInfos: number;
  }): Promise<string>;
}

export function createOperatorMetrics(): OperatorMetrics {
  const registry = new Registry();
  const named = (name: string, help: string) => ({
    ...{ name: `tetragon_operator_${name}`, help, registers: [registry] },
  });
  const leads = new Gauge(named("leader", "Whether this operator leads: it alone writes to the API server."));
  const serves = new Gauge(
    named("serving", "Whether this operator leads and all its CRDs are served by the API server."),
  );
  const podInfos = new Gauge(named("pod_infos", "Pods for which a PodInfo object is kept."));
  const crds = new Counter({
    ...named("crds_total", "CRDs that the operator examined, by outcome."),
    labelNames: ["outcome"],
  });
  const writes = new Counter({
    ...named("pod_info_writes_total", "Writes of PodInfo objects, by outcome."),
    labelNames: ["outcome"],
  });
  const elections = new Counter({
    ...named("elections_total", "Changes of the leadership of this operator, and attempts that failed."),
    labelNames: ["outcome"],
  });
  return {
    countCrd: (outcome) => crds.inc({ outcome }),
    countWrite: (outcome) => writes.inc({ outcome }),
    countElection: (outcome) => elections.inc({ outcome }),
    registry,
    render(state) {
      leads.set(state.leads ? 1 : 0);
      serves.set(state.serves ? 1 : 0);
      podInfos.set(state.podInfos);
      return registry.metrics();
    },
  };
}
