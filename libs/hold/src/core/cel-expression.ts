// SPDX-License-Identifier: Apache-2.0
// The user's CEL expression. Loaded only where one is set: the library is most of the hook's own size.

import { CelScalar, celEnv, isCelError, listType, mapType, parse, plan } from "@bufbuild/cel";
import type { Annotations } from "@rthooks/oci";
import { describeError, err, ok, type Result } from "@rthooks/result";

type Evaluate = (annotations: Annotations) => Result<boolean, string>;

/** The misspelt singular is what Tetragon's hook declares, and so what users may have written. */
const keysType = listType(CelScalar.STRING);
const variables = {
  annotations: mapType(CelScalar.STRING, CelScalar.STRING),
  annotations_namespace_keys: keysType,
  annotations_namespace_key: keysType,
};

/** The error says what is wrong with the text: its syntax, a name that does not exist, or its type. */
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
  // The library has no type check: a trial finds the names that do not exist. A missing annotation is no error
  // of the expression's.
  const trial = evaluate(new Map());
  return !trial.ok && /^(unresolved attribute|unbound function|the expression is not)/.test(trial.error)
    ? err(trial.error)
    : ok(evaluate);
}
