// SPDX-License-Identifier: Apache-2.0
// Tracing policies that are objects of the API server, and the node's labels that some of them ask for.

import { type ApiClient, type KubeNode, type Telling, watchNode, watchResource } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { haveSameLabels } from "@rthooks/machines/pod";
import {
  type Labels,
  matchesSelector,
  parseTracingPolicy,
  renderProblem,
  type TracingPolicy,
} from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { PolicyName, PolicyStore } from "../core/policy-store.ts";

export interface KubePoliciesOptions {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly policies: PolicyStore;
  readonly log: Logger;
  /** All policies are known, and which of them are for this node. */
  onAll(): void;
  /** An object of the API server was too large to be read whole. */
  onTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
}

const DOMAIN = "k8s";
const plurals = ["tracingpolicies", "tracingpoliciesnamespaced"] as const; // const: the names are a union
/** A policy that asks for a node of which nobody tells is in force: better one too many than one too few. */
const NODE_WAIT_MS = 5000;

const named = v.object({
  metadata: v.object({ uid: v.string(), name: v.string(), namespace: v.nullish(v.string()) }),
});

interface PolicyObject {
  readonly uid: string;
  readonly name: PolicyName;
  readonly policy: Result<TracingPolicy, string>;
}

/** Undefined for what has no name to be listed by. */
function toPolicyObject(object: unknown): PolicyObject | undefined {
  const parsed = v.safeParse(named, object);
  if (!parsed.success) return undefined;
  const { uid, name, namespace } = parsed.output.metadata;
  const policy = parseTracingPolicy(object);
  return {
    uid,
    name: { name, namespace: namespace ?? "", domain: DOMAIN },
    policy: policy.ok ? policy : { ok: false, error: policy.error.map(renderProblem).join("; ") },
  };
}

export interface PolicyWatch {
  /** Why what is known of policies and of the node may be old; none where it is not. */
  problems(): readonly string[];
  close(): void;
}

/** Of a policy of which only the name was read. */
function toTooLargePolicy(object: unknown): PolicyObject | undefined {
  const named = toPolicyObject(object);
  return named && { ...named, policy: err("the object is too large: a policy may have 8 MiB") };
}

/** Keeps the store as the API server has them. */
export function watchPolicies(options: KubePoliciesOptions): PolicyWatch {
  const { client, nodeName, policies, log, onAll, onTooLarge } = options;
  const objects = new Map<string, PolicyObject>();
  const unknown = new Set<string>([...plurals, "node"]);
  let nodeLabels: Labels | undefined;

  const note = (part: string): void => {
    if (unknown.delete(part) && unknown.size === 0) onAll();
  };

  const use = ({ name, policy }: PolicyObject): void => {
    const fields = { name: name.name, namespace: name.namespace };
    const nodeSelector = policy.ok ? policy.value.spec.nodeSelector : undefined;
    if (nodeSelector !== undefined && unknown.has("node")) return;
    if (
      nodeSelector !== undefined &&
      nodeLabels !== undefined &&
      !matchesSelector(nodeSelector, nodeLabels)
    ) {
      policies.skip(name);
      log.info("tracing policy of the API server is not for this node", fields);
      return;
    }
    if (!policy.ok) policies.reject(name, policy.error);
    const done = policy.ok ? policies.put(DOMAIN, policy.value) : policy;
    if (done.ok) log.info("tracing policy of the API server is in force", fields);
    else log.error("tracing policy of the API server is not used", { ...fields, err: done.error });
  };

  const setNode = (labels: Labels | undefined): void => {
    const isFirst = unknown.has("node");
    const isSame = labels !== undefined && nodeLabels !== undefined && haveSameLabels(labels, nodeLabels);
    if (!isFirst && (isSame || labels === nodeLabels)) return;
    nodeLabels = labels;
    unknown.delete("node");
    for (const object of objects.values())
      if (object.policy.ok && object.policy.value.spec.nodeSelector !== undefined) use(object);
    if (isFirst && unknown.size === 0) onAll();
  };

  const put = (object: PolicyObject): void => {
    objects.set(object.uid, object);
    use(object);
  };
  const remove = (uid: string): void => {
    const gone = objects.get(uid)?.name;
    objects.delete(uid);
    if (gone === undefined) return;
    // One that was made anew under the name is another object, and is there already.
    const isAnew = ({ name }: PolicyObject): boolean =>
      name.name === gone.name && name.namespace === gone.namespace;
    if ([...objects.values()].some(isAnew)) return;
    policies.remove(gone);
    log.info("tracing policy of the API server is gone", { name: gone.name, namespace: gone.namespace });
  };

  const watches = plurals.map((plural) => {
    const own = new Set<string>();
    const onTelling = (telling: Telling<PolicyObject>): void => {
      if (telling.kind === "put") {
        own.add(telling.object.uid);
        put(telling.object);
      } else if (telling.kind === "deleted") {
        own.delete(telling.uid);
        remove(telling.uid);
      } else {
        const kept = new Set(telling.objects.map(({ uid }) => uid));
        for (const object of telling.objects) put(object);
        for (const uid of own) if (!kept.has(uid)) remove(uid);
        own.clear();
        for (const uid of kept) own.add(uid);
        note(plural);
      }
    };
    return watchResource({
      ...{ client, log, onTelling, onTooLarge, fieldSelector: "", what: plural, parse: toPolicyObject },
      parseName: toTooLargePolicy,
      path: `/apis/cilium.io/v1alpha1/${plural}`,
    });
  });
  const onNode = (telling: Telling<KubeNode>): void => {
    if (telling.kind === "put") setNode(telling.object.labels);
    else if (telling.kind === "all") setNode(telling.objects[0]?.labels);
    // A node that is gone for a moment is registered anew by its kubelet, with the labels that count then.
  };
  const node = watchNode({ client, nodeName, log, onTooLarge, onTelling: onNode });
  const timer = setTimeout(() => {
    if (!unknown.has("node")) return;
    log.warn("the node's labels are not known: policies with a nodeSelector are in force", {
      node: nodeName,
    });
    setNode(undefined);
  }, NODE_WAIT_MS);

  const all = [...watches, node];
  return {
    problems: () => all.map((watch) => watch.problem()),
    close() {
      clearTimeout(timer);
      for (const watch of all) watch.close();
    },
  };
}
