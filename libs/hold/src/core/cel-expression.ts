// SPDX-License-Identifier: Apache-2.0
// The fail check's CEL expression. Loaded only if one is set, since the library is most of the hook's code.

import { CelScalar, celEnv, isCelError, listType, mapType, parse, plan } from "@bufbuild/cel";
import type { Annotations } from "@rthooks/oci";
import { describeError, err, ok, type Result } from "@rthooks/result";

type Evaluate = (annotations: Annotations) => Result<boolean, string>;

/** The singular is a mistake in Tetragon's hook; users may have written it in expressions. */
const keysType = listType(CelScalar.STRING);
const variables = {
  annotations: mapType(CelScalar.STRING, CelScalar.STRING),
  annotations_namespace_keys: keysType,
  annotations_namespace_key: keysType,
};

/** The error describes a syntax error, an unknown name or a result that is not a boolean. */
export function compileExpression(text: string, namespaceKeys: readonly string[]): Result<Evaluate, string> {
  let evaluate: Evaluate;
  try {
    const run = plan(celEnv({ variables }), parse(text));
    evaluate = (annotations) => {
      try {
        const value = run({
          annotations: new Map(annotations),
          annotations_namespace_keys: [...namespaceKeys],
          annotations_namespace_key: [...namespaceKeys],
        });
        if (isCelError(value)) return err(value.message);
        return typeof value === "boolean" ? ok(value) : err("the expression is not a boolean");
      } catch (error) {
        return err(describeError(error));
      }
    };
  } catch (error) {
    return err(describeError(error));
  }
  // The library does not check types: a trial run finds unknown names. A missing annotation is not an error of the
  // expression.
  const trial = evaluate(new Map());
  return !trial.ok && /^(unresolved attribute|unbound function|the expression is not)/.test(trial.error)
    ? err(trial.error)
    : ok(evaluate);
}
