// SPDX-License-Identifier: Apache-2.0
// A label selector as text, as `kubectl -l` takes it: "app=web,tier in (a, b),!old" (apimachinery pkg/labels, Parse).

import { type LabelRequirement, type LabelSelector, matchesSelector } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";

export type LabelMatcher = (labels: ReadonlyMap<string, string>) => boolean;

const name = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const key = `(?:[a-z0-9][-a-z0-9.]{0,252}/)?${name}|k8s:[-A-Za-z0-9_./]{1,253}`;
const forms = {
  absent: new RegExp(`^!\\s*(${key})$`),
  present: new RegExp(`^(${key})$`),
  equal: new RegExp(`^(${key})\\s*(==?|!=)\\s*(${name}|)$`),
  listed: new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
};
const value = new RegExp(`^(?:${name}|)$`);

const maxLength = 4096;

export function compileLabelQuery(text: string): Result<LabelMatcher, string> {
  if (text.length > maxLength) return err(`a label selector is longer than ${maxLength} characters`);
  const terms = splitTerms(text);
  const matchExpressions: LabelRequirement[] = [];
  for (const term of terms) {
    const requirement = parseTerm(term);
    if (requirement === undefined) {
      return err(
        `the label selector ${JSON.stringify(text)} cannot be read at ${JSON.stringify(term)}: write it as for kubectl -l`,
      );
    }
    matchExpressions.push(requirement);
  }
  const selector: LabelSelector = { matchLabels: new Map(), matchExpressions };
  return ok((labels) => matchesSelector(selector, labels));
}

/** At the commas outside of parentheses. An empty text has no terms and matches everything. */
const splitTerms = (text: string): readonly string[] =>
  text.trim() === "" ? [] : text.split(/,(?![^(]*\))/).map((term) => term.trim());

function parseTerm(term: string): LabelRequirement | undefined {
  const absent = forms.absent.exec(term);
  if (absent?.[1] !== undefined) return { key: absent[1], operator: "DoesNotExist" };
  const present = forms.present.exec(term);
  if (present?.[1] !== undefined) return { key: present[1], operator: "Exists" };
  const equal = forms.equal.exec(term);
  if (equal?.[1] !== undefined) {
    return { key: equal[1], operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
  }
  const listed = forms.listed.exec(term);
  if (listed?.[1] === undefined) return undefined;
  const values = (listed[3] ?? "").split(",").map((text) => text.trim());
  if (!values.every((text) => value.test(text))) return undefined;
  return { key: listed[1], operator: listed[2] === "in" ? "In" : "NotIn", values };
}
