// SPDX-License-Identifier: Apache-2.0
// What only the runtime knows of a pod, from a sender that took out what the pod's author may have written there.

import { type Labels, parseLabels, type ReportSource } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";

export interface TrustedFields {
  /** JSON; undefined where the sender does not know the labels. */
  readonly podLabels: string | undefined;
  readonly source: string | undefined;
}

/** As much as one environment string holds, through which the injected hook gets them. */
const maxTextLength = 131_072;
const maxLabels = 1000;
/** Kubernetes' bounds: a DNS subdomain, a slash and a name; a value. */
const maxPrefixLength = 253;
const maxNameLength = 63;
const maxValueLength = 63;

/** The error goes on from the name of the field. */
export function parsePodLabels(text: string): Result<Labels, string> {
  if (text.length > maxTextLength) return err(`has ${text.length} characters, more than ${maxTextLength}`);
  const labels = parseLabels(text);
  if (!labels.ok) return err(shorten(labels.error));
  if (labels.value.size > maxLabels) return err(`has ${labels.value.size} labels, more than ${maxLabels}`);
  for (const [key, value] of labels.value) {
    if (!isLabelKey(key)) {
      return err(
        `has the key ${quote(key)}: a label's is a name of ${maxNameLength} characters at most, after a prefix of ${maxPrefixLength} at most and a slash`,
      );
    }
    if (value.length > maxValueLength) {
      return err(
        `has a value of ${value.length} characters at ${quote(key)}: a label's is ${maxValueLength} at most`,
      );
    }
  }
  return ok(labels.value);
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  const nameLength = key.length - slash - 1;
  return slash !== 0 && slash <= maxPrefixLength && nameLength > 0 && nameLength <= maxNameLength;
}

/** A word of a newer sender must not keep a container from starting. */
export function toReportSource(text: string | undefined): ReportSource {
  return text === "nri" || text === "synchronize" ? text : "hook";
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

const quote = (text: string): string => JSON.stringify(shorten(text));
