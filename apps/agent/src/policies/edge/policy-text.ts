// SPDX-License-Identifier: Apache-2.0

import { parseTracingPolicy, renderProblem, type TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { parseYaml } from "@rthooks/yaml";

/** Of one policy: its client waits while it is parsed. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** YAML or JSON; the error has one line for each problem. */
export function parsePolicyText(text: string): Result<TracingPolicy, string> {
  if (text.length > MAX_POLICY_BYTES)
    return err(`a tracing policy has at most ${MAX_POLICY_BYTES} characters`);
  const documents = parseYaml(text);
  if (!documents.ok) return documents;
  const [document, ...others] = documents.value.filter((value) => value !== null && value !== undefined);
  if (document === undefined) return err("the text has no tracing policy");
  if (others.length > 0) return err("the text has more than one document");
  const policy = parseTracingPolicy(document);
  return policy.ok ? policy : err(policy.error.map(renderProblem).join("\n"));
}
