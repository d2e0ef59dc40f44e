// SPDX-License-Identifier: Apache-2.0
// Names of Kubernetes objects: RFC 1123, as in apimachinery pkg/util/validation.

import * as v from "valibot";
import { describeValue } from "./describe-value.ts";
import { text } from "./scalar.ts";

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const isDnsLabel = (value: string): boolean => value.length <= 63 && label.test(value);

/** Kubernetes limits the whole name to 253, and not each label to 63 as in a domain name. */
export const isDnsSubdomain = (value: string): boolean =>
  value.length <= 253 && value.split(".").every((part) => label.test(part));

export const objectName = v.pipe(
  text,
  v.check(
    isDnsSubdomain,
    ({ input }) =>
      `must be a DNS subdomain (at most 253 of a-z 0-9 - . with a letter or digit at both ends), ` +
      `not ${describeValue(input)}`,
  ),
);

export const namespaceName = v.pipe(
  text,
  v.check(
    isDnsLabel,
    ({ input }) =>
      `must be a DNS label (at most 63 of a-z 0-9 - with a letter or digit at both ends), ` +
      `not ${describeValue(input)}`,
  ),
);
