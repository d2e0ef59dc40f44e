// SPDX-License-Identifier: Apache-2.0
// Parses the trusted fields of a request: annotations whose sender removed what the pod's author had written under the same
// keys.

import { type Labels, parseLabels, type ReportSource } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";

export interface TrustedFields {
  /** A JSON object; undefined where the sender does not know the labels. */
  readonly podLabels: string | undefined;
  readonly source: string | undefined;
}

/** The limit of one environment string (MAX_ARG_STRLEN), through which the injected hook gets the labels. */
const maxTextLength = 131_072;
const maxLabels = 1000;
/** Kubernetes' limits of a label's key (a DNS subdomain, a slash and a name) and value. */
const maxPrefixLength = 253;
const maxNameLength = 63;
const maxValueLength = 63;

/** The error is a predicate whose subject is the name of the field. */
export function parsePodLabels(text: string): Result<Labels, string> {
  if (text.length > maxTextLength) return err(`has ${text.length} characters, more than ${maxTextLength}`);
  const labels = parseLabels(text);
  if (!labels.ok) return err(shorten(labels.error));
  if (labels.value.size > maxLabels) return err(`has ${labels.value.size} labels, more than ${maxLabels}`);
  for (const [key, value] of labels.value) {
    if (!isLabelKey(key)) {
      return err(
        `has the key ${quote(key)}: a label's key is a name of at most ${maxNameLength} characters, after an optional prefix of at most ${maxPrefixLength} and a slash`,
      );
    }
    if (value.length > maxValueLength) {
      return err(
        `has a value of ${value.length} characters at ${quote(key)}: a label's value has at most ${maxValueLength}`,
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

/** A source of a newer sender counts as the hook: it must not prevent the container from starting. */
export function toReportSource(text: string | undefined): ReportSource {
  return text === "nri" || text === "synchronize" ? text : "hook";
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

const quote = (text: string): string => JSON.stringify(shorten(text));
