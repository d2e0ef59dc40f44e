// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import type { FailRules, Pattern } from "../core/fail-check.ts";
import type { HookConfig } from "../core/hook-flags.ts";

const noPatterns = { ok: true, value: [] } as const;

/** Compiles the expression and the patterns of the configuration; the error names the flag. */
export async function loadFailRules(config: HookConfig): Promise<Result<FailRules, string>> {
  const texts = config["fail-allow-namespaces-regex"];
  const patterns = texts.length === 0 ? noPatterns : await loadPatterns(texts);
  if (!patterns.ok) return patterns;
  const rules: FailRules = {
    namespaceKeys: config["annotations-namespace-key"],
    allowNamespaces: config["fail-allow-namespaces"],
    allowPatterns: patterns.value,
    expression: undefined,
  };
  const text = config["fail-cel-expr"];
  if (text === "") return ok(rules);
  const { compileExpression } = await import("../core/cel-expression.ts");
  const expression = compileExpression(text, rules.namespaceKeys);
  return expression.ok
    ? ok({ ...rules, expression: expression.value })
    : err(`--fail-cel-expr: ${expression.error}`);
}

async function loadPatterns(texts: readonly string[]): Promise<Result<readonly Pattern[], string>> {
  const { compilePattern } = await import("../core/namespace-pattern.ts");
  const patterns: Pattern[] = [];
  for (const text of texts) {
    const pattern = compilePattern(text);
    if (!pattern.ok) return err(`--fail-allow-namespaces-regex: ${pattern.error}`);
    patterns.push(pattern.value);
  }
  return ok(patterns);
}
