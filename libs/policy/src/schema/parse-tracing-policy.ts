// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { checkPolicy } from "./check-policy.ts";
import { type PolicySpec, tracingPolicy } from "./policy-schema.ts";

export interface TracingPolicy {
  readonly name: string;
  /** Undefined for the cluster's kind. */
  readonly namespace: string | undefined;
  readonly spec: PolicySpec;
}

/** `path`: "spec.kprobes[0].call"; empty for the document as a whole. */
export interface PolicyProblem {
  readonly path: string;
  readonly message: string;
}

/** More help nobody, and a document may have a million. */
const MAX_PROBLEMS = 20;
const documentKeys: readonly string[] = ["apiVersion", "kind", "metadata", "spec", "status"];

export function parseTracingPolicy(value: unknown): Result<TracingPolicy, readonly PolicyProblem[]> {
  const parsed = v.safeParse(tracingPolicy, value);
  if (!parsed.success) return err(parsed.issues.slice(0, MAX_PROBLEMS).map(toProblem));
  const { kind, metadata, spec } = parsed.output;
  const unknown = Object.keys(Object(value)).find((key) => !documentKeys.includes(key));
  if (unknown !== undefined) {
    return err([{ path: unknown, message: `unknown field; known here: ${documentKeys.join(", ")}` }]);
  }
  const isNamespaced = kind === "TracingPolicyNamespaced";
  const namespace = isNamespaced ? (metadata.namespace ?? undefined) : undefined;
  if (isNamespaced && namespace === undefined) {
    return err([{ path: "metadata.namespace", message: "is needed for a TracingPolicyNamespaced" }]);
  }
  const policy: TracingPolicy = { name: metadata.name, namespace, spec };
  const problems = checkPolicy(policy);
  return problems.length === 0 ? ok(policy) : err(problems.slice(0, MAX_PROBLEMS));
}

/** One line: "spec.kprobes[0].call: must not be empty". */
export const renderPolicyProblem = ({ path, message }: PolicyProblem): string =>
  path === "" ? message : `${path}: ${message}`;

function toProblem(issue: v.BaseIssue<unknown>): PolicyProblem {
  let path = "";
  for (const item of issue.path ?? []) {
    if (typeof item.key === "number") path += `[${item.key}]`;
    else path += path === "" ? String(item.key) : `.${String(item.key)}`;
  }
  // What is missing has no better words of its own.
  const isMissing = issue.kind === "schema" && issue.received === "undefined";
  return { path, message: isMissing ? "is missing" : issue.message };
}
