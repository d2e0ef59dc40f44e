// SPDX-License-Identifier: Apache-2.0
// Pods as kubectl writes them: a List, a PodList, a single Pod, or several YAML documents of these.

import { type Pod, podSchema, readPod } from "@rthooks/kube";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";

const itemSchema = v.object({ kind: v.optional(v.literal("Pod")), ...podSchema.entries });
const listSchema = v.object({ kind: v.picklist(["List", "PodList"]), items: v.array(itemSchema) });
const kindSchema = v.object({ kind: v.string() });

/** Returns the documents of a text in YAML or JSON. The error is one line. */
export type ParseYaml = (text: string) => Result<readonly unknown[], string>;

/** The error names the field, as in `items.3.metadata.uid`. */
export function parsePodList(text: string, parseYaml: ParseYaml): Result<readonly Pod[], string> {
  const documents = parseDocuments(text, parseYaml);
  if (!documents.ok) return documents;
  const pods: Pod[] = [];
  for (const [index, document] of documents.value.entries()) {
    const where = documents.value.length === 1 ? "" : `document ${index + 1}: `;
    const kind = v.safeParse(kindSchema, document);
    if (!kind.success) return err(`${where}${describeIssue(kind.issues[0])}`);
    const parsed =
      kind.output.kind === "Pod"
        ? toResult(
            v.safeParse(
              v.pipe(
                itemSchema,
                v.transform((pod) => [pod]),
              ),
              document,
            ),
          )
        : toResult(
            v.safeParse(
              v.pipe(
                listSchema,
                v.transform(({ items }) => items),
              ),
              document,
            ),
          );
    if (!parsed.ok) return err(`${where}${parsed.error}`);
    for (const pod of parsed.value) pods.push(readPod(pod));
  }
  return ok(pods);
}

function parseDocuments(text: string, parseYaml: ParseYaml): Result<readonly unknown[], string> {
  const documents = parseYaml(text);
  if (!documents.ok) return documents;
  // A closing `---` starts an empty document.
  const values = documents.value.filter((value) => value !== null && value !== undefined);
  return values.length === 0 ? err("the file is empty") : ok(values);
}

function toResult<T>(
  parsed:
    | { success: true; output: T }
    | { success: false; issues: readonly [v.BaseIssue<unknown>, ...unknown[]] },
): Result<T, string> {
  return parsed.success ? ok(parsed.output) : err(describeIssue(parsed.issues[0]));
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
  return `${path === "" ? "the document" : path}: expected ${issue.expected ?? "another value"}, got ${issue.received}`;
}
