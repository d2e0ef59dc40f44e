// SPDX-License-Identifier: Apache-2.0

import { parseTracingPolicy, renderProblem, type TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { parseYaml } from "../../base/edge/yaml.ts";

/** Of one policy; calls wait while it is parsed. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** YAML or JSON; the error has a line for each problem. */
export function parsePolicyText(text: string): Result<TracingPolicy, string> {
  if (text.length > MAX_POLICY_BYTES)
    return err(`more than ${MAX_POLICY_BYTES} characters are no tracing policy`);
  const documents = parseYaml(text);
  if (!documents.ok) return documents;
  const [document, ...others] = documents.value.filter((value) => value !== null && value !== undefined);
  if (document === undefined) return err("there is no tracing policy in it");
  if (others.length > 0) return err("there is more than one document in it");
  const policy = parseTracingPolicy(document);
  return policy.ok ? policy : err(policy.error.map(renderProblem).join("\n"));
}
