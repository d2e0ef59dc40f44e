// SPDX-License-Identifier: Apache-2.0
// Label selectors in documents. Syntax: Kubernetes apimachinery pkg/util/validation, IsQualifiedName and
// IsValidLabelValue; which operators take values: pkg/apis/meta/v1/validation, ValidateLabelSelectorRequirement.

import * as v from "valibot";
import { NAMESPACE_LABEL } from "../filter/filter.ts";
import type { LabelRequirement, LabelSelector } from "../label-selector.ts";
import { describeValue } from "./describe-value.ts";
import { isDnsSubdomain } from "./object-name.ts";
import { oneOf, text } from "./scalar.ts";
import { describeSchema } from "./schema-part.ts";
import { listOf, mapOf, shape } from "./shape.ts";

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const maxNameLength = 63;

const key = v.pipe(
  text,
  v.rawCheck(({ dataset, addIssue }) => {
    const wrong = dataset.typed ? checkKey(dataset.value) : undefined;
    if (wrong !== undefined) addIssue({ message: wrong });
  }),
);

const labelValue = describeSchema(
  v.pipe(
    text,
    v.check(
      (value) => value === "" || isName(value),
      ({ input }) =>
        `must be a label value (at most ${maxNameLength} of A-Z a-z 0-9 - _ . with a letter or digit at both ends), ` +
        `not ${describeValue(input)}`,
    ),
  ),
  { kind: "text", maxLength: maxNameLength, pattern: `^(${namePattern.source.slice(1, -1)})?$` },
);

const createSelector = (expressionValue: v.GenericSchema<unknown, string>) => {
  const requirement = v.pipe(
    shape(
      {
        key,
        operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: listOf(expressionValue),
      },
      ({ operator, values }, report) => {
        if (operator === undefined || values === undefined) return;
        const takesValues = operator === "In" || operator === "NotIn";
        if (takesValues && values.length === 0) report(["values"], `must not be empty with ${operator}`);
        if (!takesValues && values.length > 0) report(["values"], `must be left out with ${operator}`);
      },
    ),
    v.transform(toRequirement),
  );
  return v.optional(
    v.pipe(
      shape({ matchLabels: mapOf(labelValue, checkKey), matchExpressions: listOf(requirement) }),
      v.transform((selector): LabelSelector => selector),
    ),
  );
};

/** For pods and nodes. */
export const labelSelector = createSelector(labelValue);

/** The values of its pseudo label `repo` are image names, which label values cannot be. */
export const containerSelector = createSelector(text);

/** Present or absent; it has no fields. */
export const hostSelector = v.pipe(
  v.optional(shape({}, undefined, "hostSelector is null or {}")),
  v.transform((selector) => selector !== undefined),
);

interface WrittenRequirement {
  readonly key: string;
  readonly operator: LabelRequirement["operator"];
  readonly values: readonly string[];
}

function toRequirement({ key, operator, values }: WrittenRequirement): LabelRequirement {
  switch (operator) {
    case "In":
    case "NotIn":
      return { key, operator, values };
    case "Exists":
    case "DoesNotExist":
      return { key, operator };
  }
}

function checkKey(value: string): string | undefined {
  // Not a valid label key of Kubernetes: no pod has it as a label.
  if (value === NAMESPACE_LABEL) return undefined;
  const parts = value.split("/");
  const name = parts.at(-1) ?? "";
  const prefix = parts[0] ?? "";
  const isKey = parts.length === 1 || (parts.length === 2 && isDnsSubdomain(prefix));
  return isKey && isName(name)
    ? undefined
    : `must be a label key (name or prefix/name: the name as in a label value, the prefix a DNS subdomain), ` +
        `not ${describeValue(value)}`;
}

const isName = (value: string): boolean => value.length <= maxNameLength && namePattern.test(value);
