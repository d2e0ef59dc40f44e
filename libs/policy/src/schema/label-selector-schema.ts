// SPDX-License-Identifier: Apache-2.0
// Label selectors as people write them (apimachinery pkg/apis/meta/v1/validation and util/validation).

import * as v from "valibot";
import type { LabelRequirement, LabelSelector } from "../label-selector.ts";
import { fields, list, oneOf, text } from "./fields.ts";

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
/** Cilium's way to name the pod's namespace: no label of Kubernetes can have this key. */
const PSEUDO_KEY = "k8s:io.kubernetes.pod.namespace";

const key = v.pipe(
  text,
  v.check(
    (name) => name === PSEUDO_KEY || KEY.test(name),
    (issue) => `${issue.received} is no key of a label`,
  ),
);
const value = v.pipe(
  text,
  v.regex(VALUE, (issue) => `${issue.received} is no value of a label`),
);
/** containerSelector's `repo` is an image's name, which has slashes. */
const freeValue = v.pipe(text, v.maxLength(512, "is longer than 512 characters"));

const requirement = (values: typeof value | typeof freeValue) =>
  v.pipe(
    fields({
      key,
      operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist"]),
      values: v.nullish(list(values), []),
    }),
    v.rawTransform(({ dataset, addIssue, NEVER }): LabelRequirement => {
      const { key, operator, values } = dataset.value;
      const takesValues = operator === "In" || operator === "NotIn";
      if (takesValues !== (values ?? []).length > 0) {
        addIssue({ message: takesValues ? `${operator} needs values` : `${operator} takes no values` });
        return NEVER;
      }
      return takesValues ? { key, operator, values: values ?? [] } : { key, operator };
    }),
  );

const selector = (values: typeof value | typeof freeValue) =>
  v.pipe(
    fields({
      matchLabels: v.nullish(v.record(key, values, "expected an object of texts"), {}),
      matchExpressions: v.nullish(list(requirement(values)), []),
    }),
    v.transform(
      ({ matchLabels, matchExpressions }): LabelSelector => ({
        matchLabels: new Map(Object.entries(matchLabels ?? {})),
        matchExpressions: matchExpressions ?? [],
      }),
    ),
  );

export const labelSelector = selector(value);
export const containerLabelSelector = selector(freeValue);
