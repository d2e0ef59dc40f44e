// SPDX-License-Identifier: Apache-2.0
// Keeps one PodInfo object for each pod of the cluster, while this operator leads.

import {
  type ApiClient,
  CONFLICT,
  type KubeObject,
  openObjectClient,
  type ResourceWatch,
  watchResource,
} from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { type BackOff, createBackOff } from "@rthooks/net";
import * as v from "valibot";
import type { OperatorMetrics } from "../core/operator-metrics.ts";
import { podInfoSchema, toComparable } from "../core/pod-info.ts";
import { createPodInfoPlan, type PodInfoWrite, type StoredInfo, toKey } from "../core/pod-info-plan.ts";
import { readSourcePod, sourcePodParts } from "../core/source-pod.ts";
import { createWriteRate } from "../core/write-rate.ts";

interface PodInfoOptions {
  readonly client: ApiClient;
  readonly metrics: OperatorMetrics;
  readonly log: Logger;
  /** Ends everything; no write is sent after it. */
  readonly signal: AbortSignal;
}

export interface PodInfoKeeper {
  count(): number;
  /** One line on why PodInfo objects may be out of date; empty if they are not. */
  problem(): string;
}

const API = "/apis/cilium.io/v1alpha1";
/** Requests at once: the API server gives other clients their share. */
const WRITERS = 8;
/** After a start, and for a cluster in which more pods are created: then they have their objects later. */
const RATE = { perSecond: 100, burst: 100 };
const TIMEOUT_MS = 10_000;
const RETRY = { firstMs: 500, longestMs: 60_000 };

export function keepPodInfos({ client, metrics, log, signal }: PodInfoOptions): PodInfoKeeper {
  const objects = openObjectClient(client, TIMEOUT_MS, signal);
  const plan = createPodInfoPlan();
  const retries = new Map<string, BackOff>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const rate = createWriteRate(RATE);
  let writers = 0;
  let pause: ReturnType<typeof setTimeout> | undefined;
  let failure = "";

  const pump = (): void => {
    while (writers < WRITERS && !signal.aborted && pause === undefined) {
      const waitMs = rate.waitMs(performance.now());
      if (waitMs > 0) {
        pause = setTimeout(() => {
          pause = undefined;
          pump();
        }, waitMs);
        return;
      }
      const write = plan.next();
      if (write === undefined) return;
      rate.take();
      writers++;
      void perform(write).finally(() => {
        writers--;
        pump();
      });
    }
  };

  const perform = async ({ key, info, resourceVersion }: PodInfoWrite): Promise<void> => {
    const { namespace, name } = info.metadata;
    const collection = `${API}/namespaces/${encodeURIComponent(namespace)}/podinfo`;
    const written =
      resourceVersion === undefined
        ? await objects.create(collection, info)
        : await objects.replace(`${collection}/${encodeURIComponent(name)}`, {
            ...info,
            metadata: { ...info.metadata, resourceVersion },
          });
    if (written.ok) {
      metrics.countWrite(resourceVersion === undefined ? "created" : "replaced");
      retries.delete(key);
      failure = "";
      plan.wrote(key, readStoredInfo(written.value));
      return;
    }
    plan.failed(key);
    if (signal.aborted) return;
    const { status, message } = written.error;
    metrics.countWrite(status === CONFLICT ? "conflict" : "failed");
    if (status !== CONFLICT) noteFailure(message, { namespace, name });
    // After a conflict the watch brings the other version; where it was seen already, this retry does it.
    const backOff = retries.get(key) ?? createBackOff(RETRY, Math.random);
    retries.set(key, backOff);
    const timer = setTimeout(() => {
      timers.delete(timer);
      plan.retry(key);
      pump();
    }, backOff.next());
    timers.add(timer);
  };

  /** Logged once until a write succeeds: the reason is mostly the same for all pods. */
  const noteFailure = (message: string, pod: { readonly namespace: string; readonly name: string }): void => {
    const fields = { ...pod, err: message };
    if (failure === "") log.error("cannot write a PodInfo; retrying", fields);
    else log.debug("cannot write a PodInfo; retrying", fields);
    failure = `cannot write PodInfo objects: ${message}`;
  };

  const watches: readonly ResourceWatch[] = [
    watchResource({
      ...{ client, log, path: "/api/v1/pods", fieldSelector: "", what: "pods", keep: sourcePodParts },
      parse: readSourcePod,
      onChange(change) {
        plan.changePods(change);
        pump();
      },
    }),
    watchResource({
      ...{ client, log, path: `${API}/podinfo`, fieldSelector: "", what: "PodInfo objects" },
      parse: readStoredInfo,
      onChange(change) {
        plan.changeInfos(change);
        pump();
      },
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const watch of watches) watch.close();
    for (const timer of timers) clearTimeout(timer);
    clearTimeout(pause);
  });
  return {
    count: plan.count,
    problem: () => failure || (watches.map((watch) => watch.problem()).find((text) => text !== "") ?? ""),
  };
}

/** Undefined for anything but a PodInfo. */
function readStoredInfo(value: KubeObject | unknown): StoredInfo | undefined {
  const parsed = v.safeParse(podInfoSchema, value);
  if (!parsed.success) return undefined;
  const { metadata } = parsed.output;
  const { uid, resourceVersion } = metadata;
  return { uid, resourceVersion, key: toKey(metadata), comparable: toComparable(parsed.output) };
}
