// SPDX-License-Identifier: Apache-2.0
// TracingPolicy and TracingPolicyNamespaced, cilium.io/v1alpha1.

import * as v from "valibot";
import { fields, filled, flag, list, oneOf, text } from "./fields.ts";
import { kprobe, lsmHook, tracepoint, uprobe, usdt } from "./hook-schema.ts";
import { containerLabelSelector, labelSelector } from "./label-selector-schema.ts";
import { hookSelector } from "./selector-schema.ts";

/** RFC 1123, as Kubernetes has it for names of objects and of namespaces. */
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const name = v.pipe(
  text,
  v.maxLength(253, "is longer than 253 characters"),
  v.regex(SUBDOMAIN, (issue) => `${issue.received} is no DNS subdomain name`),
);
const namespace = v.pipe(
  text,
  v.regex(LABEL, (issue) => `${issue.received} is no name of a namespace`),
);

const labelSelectorOfHost = v.pipe(
  labelSelector,
  v.check(
    ({ matchLabels, matchExpressions }) => matchLabels.size === 0 && matchExpressions.length === 0,
    "can only be {}",
  ),
);

const spec = fields({
  kprobes: v.nullish(list(kprobe)),
  fentries: v.nullish(list(kprobe)),
  tracepoints: v.nullish(list(tracepoint)),
  lsmhooks: v.nullish(list(lsmHook)),
  uprobes: v.nullish(list(uprobe)),
  usdts: v.nullish(list(usdt)),
  loader: v.nullish(flag),
  podSelector: v.nullish(labelSelector),
  containerSelector: v.nullish(containerLabelSelector),
  hostSelector: v.nullish(labelSelectorOfHost),
  nodeSelector: v.nullish(labelSelector),
  lists: v.nullish(
    list(
      fields({
        name: filled,
        type: v.nullish(oneOf(["syscalls", "generated_syscalls", "generated_ftrace"])),
        values: v.nullish(list(text)),
        pattern: v.nullish(text),
        validated: v.nullish(flag),
      }),
    ),
  ),
  enforcers: v.nullish(list(fields({ calls: list(filled) }), 1)),
  options: v.nullish(list(fields({ name: filled, value: text }))),
  selectorsMacros: v.nullish(v.record(text, hookSelector, "expected an object of selectors")),
});

export const tracingPolicy = v.object(
  {
    apiVersion: oneOf(["cilium.io/v1alpha1"]),
    kind: v.picklist(
      ["TracingPolicy", "TracingPolicyNamespaced"],
      (issue) => `unknown CRD kind: ${issue.received.replaceAll('"', "")}`,
    ),
    // What else the API server keeps there is nobody's here.
    metadata: v.looseObject({ name, namespace: v.nullish(namespace) }, "expected an object"),
    spec,
  },
  "expected an object",
);

export type PolicySpec = v.InferOutput<typeof tracingPolicy>["spec"];
