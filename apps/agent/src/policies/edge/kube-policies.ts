// SPDX-License-Identifier: Apache-2.0
// Tracing policies that are objects of the API server, and the node's labels for their nodeSelector.

import {
  type ApiClient,
  type KubeNode,
  type ResourceChange,
  type ResourceWatch,
  type WatchProgress,
  watchNode,
  watchResource,
} from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { haveSameLabels, type Labels } from "@rthooks/oci";
import { matchesSelector, type TracingPolicy } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import { takeTurns } from "../../base/edge/take-turns.ts";
import { toPolicyKey } from "../../filter/core/filter-key.ts";
import { KUBE_DOMAIN } from "../core/policy-domain.ts";
import type { PolicyParser } from "../core/policy-parser.ts";
import type { PolicyName, PolicyStore } from "../core/policy-store.ts";
import { hasSamePolicy, type PolicyObject, toPolicyObject, toTooLargePolicy } from "./policy-object.ts";

export interface KubePoliciesOptions {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicyObject">;
  readonly log: Logger;
  /** Called when all policies are known and in the store, and the node's labels where a policy asks for them. */
  onAll(): void;
  /** An object of the API server was too large to be read whole. */
  onTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
}

const plurals = ["tracingpolicies", "tracingpoliciesnamespaced"] as const; // const: the names are a union
/** After this time without the node's labels, policies with a nodeSelector are put into force all the same. */
const NODE_WAIT_MS = 5000;

export interface PolicyWatch {
  /** Why policies or the node's labels may be out of date, one line each. */
  problems(): readonly string[];
  progress(): readonly WatchProgress[];
  close(): void;
}

/** Keeps the store in step with the API server. */
export function watchPolicies(options: KubePoliciesOptions): PolicyWatch {
  const { client, nodeName, policies, parser, log, onAll, onTooLarge } = options;
  const objects = new Map<string, PolicyObject>();
  /** The newest object of each name, by UID: one that is created again under its name has another UID. */
  const byName = new Map<string, string>();
  const unknown = new Set<string>(plurals);
  /** Opened with the first policy that has a nodeSelector. */
  let node: ResourceWatch | undefined;
  let nodeWait: ReturnType<typeof setTimeout> | undefined;
  let nodeLabels: Labels | undefined;
  let isNodeKnown = false;

  /** Watches whose first list is complete; they leave `unknown` when all of it is in the store. */
  const complete = new Set<string>();
  const noteProgress = (): void => {
    if (!turns.isIdle() || unknown.size === 0 || (node !== undefined && !isNodeKnown)) return;
    // The earlier agent's filters of an object that is invalid now stay until the object is corrected.
    if ([...objects.values()].some(({ policy }) => policy?.ok !== true)) return;
    for (const part of complete) unknown.delete(part);
    if (unknown.size === 0) onAll();
  };

  const use = async (name: PolicyName, policy: Result<TracingPolicy, string>): Promise<void> => {
    const fields = { policy: name.name, namespace: name.namespace };
    const nodeSelector = policy.ok ? policy.value.spec.nodeSelector : undefined;
    if (nodeSelector !== undefined && !isNodeKnown) return;
    if (
      nodeSelector !== undefined &&
      nodeLabels !== undefined &&
      !matchesSelector(nodeSelector, nodeLabels)
    ) {
      await policies.skip(name);
      log.info("tracing policy of the API server skipped: not for this node", fields);
      return;
    }
    if (!policy.ok) await policies.reject(name, policy.error);
    const done = policy.ok ? await policies.put(KUBE_DOMAIN, policy.value) : policy;
    if (done.ok) log.info("tracing policy of the API server added", fields);
    else log.error("cannot use tracing policy of the API server", { ...fields, err: done.error });
  };

  /** One object at a time, and the next one when it has settled. A newer version replaces the one that waits. */
  const turns = takeTurns(async (uid) => {
    const object = objects.get(uid);
    if (object === undefined) return;
    object.policy ??= await parser.parsePolicyObject(JSON.stringify(object.object));
    object.object = undefined;
    // A newer version has its own turn.
    if (objects.get(uid) !== object) return;
    await use(object.name, object.policy);
    await policies.settled();
  }, noteProgress);

  const setNode = (labels: Labels | undefined): void => {
    const isSame = labels !== undefined && nodeLabels !== undefined && haveSameLabels(labels, nodeLabels);
    if (isNodeKnown && (isSame || labels === nodeLabels)) return;
    nodeLabels = labels;
    isNodeKnown = true;
    for (const { uid, hasNodeSelector } of objects.values()) if (hasNodeSelector) turns.add(uid);
    noteProgress();
  };
  const needNode = (): void => {
    if (node !== undefined) return;
    node = watchNode({ client, nodeName, log, onTooLarge, onChange: onNode });
    nodeWait = setTimeout(() => {
      if (isNodeKnown) return;
      log.warn("the node's labels are unknown: policies with a nodeSelector apply", {
        node: nodeName,
      });
      setNode(undefined);
    }, NODE_WAIT_MS);
  };
  const onNode = (change: ResourceChange<KubeNode>): void => {
    if (change.kind === "put") setNode(change.object.labels);
    else if (change.kind === "all") setNode(change.objects[0]?.labels);
    // A deleted node is registered again by its kubelet, with new labels.
  };

  const put = (object: PolicyObject): void => {
    const known = objects.get(object.uid);
    byName.set(toPolicyKey(object.name), object.uid);
    // One that could not be parsed is parsed again: the thread may have failed.
    if (known !== undefined && known.policy?.ok !== false && hasSamePolicy(known, object)) {
      known.resourceVersion = object.resourceVersion;
      return;
    }
    objects.set(object.uid, object);
    if (object.hasNodeSelector) needNode();
    turns.add(object.uid);
  };
  const remove = (uid: string): void => {
    const gone = objects.get(uid)?.name;
    objects.delete(uid);
    if (gone === undefined || byName.get(toPolicyKey(gone)) !== uid) return;
    byName.delete(toPolicyKey(gone));
    void policies.remove(gone);
    log.info("tracing policy of the API server deleted", { policy: gone.name, namespace: gone.namespace });
    noteProgress();
  };

  const watches = plurals.map((plural) => {
    const own = new Set<string>();
    const onChange = (change: ResourceChange<PolicyObject>): void => {
      if (change.kind === "put") {
        own.add(change.object.uid);
        put(change.object);
      } else if (change.kind === "deleted") {
        own.delete(change.uid);
        remove(change.uid);
      } else {
        const kept = new Set(change.objects.map(({ uid }) => uid));
        for (const object of change.objects) put(object);
        for (const uid of own) if (!kept.has(uid)) remove(uid);
        own.clear();
        for (const uid of kept) own.add(uid);
        complete.add(plural);
        noteProgress();
      }
    };
    return watchResource({
      ...{ client, log, onChange, onTooLarge, fieldSelector: "", what: plural, parse: toPolicyObject },
      parseName: toTooLargePolicy,
      path: `/apis/cilium.io/v1alpha1/${plural}`,
    });
  });
  const all = (): readonly ResourceWatch[] => (node === undefined ? watches : [...watches, node]);
  return {
    problems: () => all().map((watch) => watch.problem()),
    progress: () => all().map((watch) => watch.progress()),
    close() {
      clearTimeout(nodeWait);
      turns.close();
      objects.clear();
      for (const watch of all()) watch.close();
    },
  };
}
