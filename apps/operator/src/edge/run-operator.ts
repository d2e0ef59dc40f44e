// SPDX-License-Identifier: Apache-2.0
// Runs the operator machine: what a leader does, from its first write to the loss of its lease.

import { type ApiClient, openObjectClient } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { createTableLogic } from "@rthooks/machines/actor-logic";
import { operatorMachine } from "@rthooks/machines/operator";
import type { CustomResourceDefinition } from "@rthooks/policy/crd";
import type { Result } from "@rthooks/result";
import { createActor } from "xstate";
import type { OperatorMetrics } from "../core/operator-metrics.ts";
import type { OperatorOptions } from "../core/operator-options.ts";
import { podInfoCrd } from "../core/pod-info.ts";
import { awaitEstablished, installCrds } from "./install-crds.ts";
import { keepPodInfos, type PodInfoKeeper } from "./keep-pod-infos.ts";
import { type Election, runElection } from "./run-election.ts";

interface OperatorSetup {
  readonly client: ApiClient;
  readonly options: OperatorOptions;
  /** Unique among all operators. */
  readonly identity: string;
  readonly metrics: OperatorMetrics;
  readonly log: Logger;
}

export interface Operator {
  leads(): boolean;
  serves(): boolean;
  countPodInfos(): number;
  /** One line on why the operator cannot do its work; empty if it can, or if another one leads. */
  problem(): string;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 10_000;

export function runOperator({ client, options, identity, metrics, log }: OperatorSetup): Operator {
  /** What one attempt of a leader has begun. */
  let work: AbortController | undefined;
  let keeper: PodInfoKeeper | undefined;

  /** Events of ended work are not sent. */
  const perform = async (
    does: (signal: AbortSignal) => Promise<Result<void, string>>,
    done: "crds.installed" | "crds.established",
  ): Promise<void> => {
    work ??= new AbortController();
    const { signal } = work;
    const result = await does(signal);
    if (signal.aborted) return;
    actor.send(result.ok ? { type: done } : { type: "work.failed", reason: result.error });
  };
  const objectsFor = (signal: AbortSignal) => openObjectClient(client, TIMEOUT_MS, signal);

  const { crds, isForced, keepsPodInfos } = options;
  // Another program installs them, and the kind of PodInfo is needed.
  const awaited: readonly CustomResourceDefinition[] =
    crds.length === 0 && keepsPodInfos ? [podInfoCrd] : crds;
  const machine = operatorMachine.provide({
    actions: {
      installCrds: () =>
        void perform(
          (signal) => installCrds({ objects: objectsFor(signal), crds, isForced, metrics, log }),
          "crds.installed",
        ),
      awaitEstablished: () =>
        void perform(
          (signal) => awaitEstablished({ objects: objectsFor(signal), crds: awaited }, signal),
          "crds.established",
        ),
      keepPodInfos: () => {
        if (!keepsPodInfos || work === undefined) return;
        keeper = keepPodInfos({ client, metrics, log, signal: work.signal });
      },
      endWork: () => {
        work?.abort();
        work = undefined;
        keeper = undefined;
      },
      reportServing: () => log.info("the kinds are installed and served", { podInfo: keepsPodInfos }),
      reportFailed: ({ context }) => {
        const level = context.failures === 1 || context.problem !== told ? "error" : "debug";
        told = context.problem ?? "";
        log[level]("the operator cannot do its work; retrying", { err: told });
      },
    },
  });
  let told = "";
  const actor = createActor(createTableLogic(machine), { id: "operator", input: undefined });
  actor.start();

  const election: Election | undefined =
    options.election === undefined
      ? undefined
      : runElection({
          objects: openObjectClient(client, Math.max(500, options.election.renewDeadlineMs / 2)),
          options: options.election,
          ...{ identity, metrics, log },
          onGained: () => actor.send({ type: "leader.gained" }),
          onLost: () => actor.send({ type: "leader.lost" }),
        });
  if (election === undefined) actor.send({ type: "leader.gained" });

  const state = () => actor.getSnapshot().state;
  return {
    leads: () => state() !== "following" && state() !== "stopped",
    serves: () => state() === "serving",
    countPodInfos: () => keeper?.count() ?? 0,
    problem() {
      if (state() === "following") return election?.problem() ?? "";
      if (state() === "serving") return keeper?.problem() ?? "";
      return actor.getSnapshot().context.problem ?? "the CRDs are being installed";
    },
    async stop() {
      await election?.stop();
      actor.send({ type: "stop" });
    },
  };
}
