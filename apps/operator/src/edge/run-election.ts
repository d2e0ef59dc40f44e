// SPDX-License-Identifier: Apache-2.0
// Runs the election machine with a Lease of the API server.

import { createLeaseLock, type ObjectClient } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { createTableLogic } from "@rthooks/machines/actor-logic";
import { electionMachine } from "@rthooks/machines/operator";
import { createActor } from "xstate";
import type { OperatorMetrics } from "../core/operator-metrics.ts";
import type { ElectionOptions } from "../core/operator-options.ts";

interface ElectionSetup {
  readonly objects: ObjectClient;
  readonly options: ElectionOptions;
  readonly identity: string;
  readonly metrics: OperatorMetrics;
  readonly log: Logger;
  onGained(): void;
  /** No write may be sent after it returns. */
  onLost(): void;
}

export interface Election {
  /** One line on why this operator cannot take part; empty if it leads or another one does. */
  problem(): string;
  /** Gives the lease back, if this operator has it. */
  stop(): Promise<void>;
}

/** The name of Tetragon's operator: one of both works in a namespace. */
const LEASE = "tetragon-operator-resource-lock";

export function runElection(setup: ElectionSetup): Election {
  const { objects, options, identity, metrics, log } = setup;
  const lock = createLeaseLock({
    ...{ objects, identity, name: LEASE },
    ...{ namespace: options.namespace, durationMs: options.leaseDurationMs },
  });
  const stopped = Promise.withResolvers<void>();
  let releasing: Promise<void> = Promise.resolve();
  let isAttempting = false;
  let problem = "";
  let told = "";

  const attempt = async (): Promise<void> => {
    // An attempt of before is still under way: its outcome counts.
    if (isAttempting) return;
    isAttempting = true;
    const outcome = await lock.attempt();
    isAttempting = false;
    problem = outcome.kind === "failed" ? `cannot take the lease ${LEASE}: ${outcome.error.message}` : "";
    if (outcome.kind === "failed") {
      metrics.countElection("failed");
      actor.send({ type: "lease.failed", reason: outcome.error.message });
    } else if (outcome.kind === "held") actor.send({ type: "lease.held", holder: outcome.holder });
    else actor.send({ type: "lease.granted", tookMs: outcome.tookMs });
  };

  const tell = (level: "info" | "error", message: string, fields: Readonly<Record<string, string>>): void => {
    const text = `${message} ${JSON.stringify(fields)}`;
    log[text === told ? "debug" : level](message, fields);
    told = text;
  };

  const machine = electionMachine.provide({
    actions: {
      attemptLease: () => void attempt(),
      beginLeading: () => {
        metrics.countElection("gained");
        tell("info", "leading", { lease: `${options.namespace}/${LEASE}`, identity });
        setup.onGained();
      },
      endLeading: () => setup.onLost(),
      releaseLease: () => {
        releasing = lock.release();
      },
      reportFollowing: ({ context }) => {
        if (problem !== "") tell("error", "cannot take the lease; retrying", { err: context.refusal ?? "" });
        else tell("info", "following", { why: context.refusal ?? "" });
      },
      reportLost: ({ context }) => {
        metrics.countElection("lost");
        log.warn("the lease is lost: this operator writes nothing more", {
          err: context.refusal ?? "no renewal succeeded before the deadline",
        });
      },
      reportStopped: () => stopped.resolve(),
    },
  });
  const actor = createActor(createTableLogic(machine), {
    id: "election",
    input: { retryMs: options.retryMs, renewDeadlineMs: options.renewDeadlineMs },
  });
  actor.start();

  return {
    problem: () => problem,
    async stop() {
      actor.send({ type: "stop" });
      await stopped.promise;
      await releasing;
    },
  };
}
