// SPDX-License-Identifier: Apache-2.0
// Creates and upgrades CustomResourceDefinitions, and waits until the API server serves their kinds.

import { setTimeout as sleep } from "node:timers/promises";
import { type ApiError, CONFLICT, type ObjectClient } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { type CustomResourceDefinition, SCHEMA_VERSION } from "@rthooks/policy/crd";
import { err, ok, type Result } from "@rthooks/result";
import { decideCrd, isEstablished } from "../core/decide-crd.ts";
import type { OperatorMetrics } from "../core/operator-metrics.ts";

export interface CrdInstaller {
  readonly objects: ObjectClient;
  readonly crds: readonly CustomResourceDefinition[];
  readonly isForced: boolean;
  readonly metrics: OperatorMetrics;
  readonly log: Logger;
}

const COLLECTION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** As often as Tetragon's operator looks. */
const POLL_MS = 500;
/** Writers that change a CRD each time between read and write are not waited for. */
const MAX_CONFLICTS = 10;

/** The error is one line. */
export async function installCrds(installer: CrdInstaller): Promise<Result<void, string>> {
  for (const crd of installer.crds) {
    const installed = await installCrd(installer, crd);
    if (installed.ok) continue;
    installer.metrics.countCrd("failed");
    return err(`CRD ${crd.metadata.name}: ${installed.error.message}`);
  }
  return ok(undefined);
}

async function installCrd(
  { objects, isForced, metrics, log }: CrdInstaller,
  crd: CustomResourceDefinition,
): Promise<Result<void, ApiError>> {
  const { name } = crd.metadata;
  const path = `${COLLECTION}/${name}`;
  for (let conflicts = 0; ; conflicts++) {
    const found = await objects.read(path);
    if (!found.ok) return found;
    const decision = decideCrd(found.value, crd, isForced);
    if (decision.kind === "keep") {
      metrics.countCrd(decision.isNewer ? "newer" : "kept");
      const fields = { name, version: decision.version, own: SCHEMA_VERSION };
      if (decision.isNewer) log.info("CRD is newer than that of this operator: left as it is", fields);
      else log.debug("CRD is up to date", fields);
      return ok(undefined);
    }
    const isNew = decision.kind === "create";
    const written = isNew
      ? await objects.create(COLLECTION, crd)
      : await objects.replace(path, decision.object);
    if (written.ok) {
      metrics.countCrd(isNew ? "created" : "upgraded");
      if (isNew) log.info("CRD created", { name, version: SCHEMA_VERSION });
      else log.info("CRD upgraded", { name, from: decision.from, to: SCHEMA_VERSION });
      return ok(undefined);
    }
    // Another program has created or changed it: the decision is made again.
    if (written.error.status !== CONFLICT || conflicts >= MAX_CONFLICTS) return written;
  }
}

/** Resolves when the API server serves all of them, or with the error, one line. Also when the signal aborts. */
export async function awaitEstablished(
  { objects, crds }: Pick<CrdInstaller, "objects" | "crds">,
  signal: AbortSignal,
): Promise<Result<void, string>> {
  for (const { metadata } of crds) {
    for (;;) {
      if (signal.aborted) return err(`CRD ${metadata.name} is not Established`);
      const found = await objects.read(`${COLLECTION}/${metadata.name}`);
      if (!found.ok) return err(`CRD ${metadata.name}: ${found.error.message}`);
      const established = isEstablished(found.value);
      if (!established.ok) return err(`CRD ${metadata.name}: ${established.error}`);
      if (established.value) break;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return ok(undefined);
}
