// SPDX-License-Identifier: Apache-2.0

import { reportedHook } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import type { AttachedPrograms } from "./attached-programs.ts";
import type { PlannedGroup, PlannedRule } from "./policy-plan.ts";

/** A rule whose programs are attached. */
export interface AttachedRule extends PlannedRule {
  readonly hookIds: ReadonlySet<number>;
  /** What events of each hook say, by its id. */
  readonly hookNames: ReadonlyMap<number, string>;
}

export type AttachedGroup = readonly AttachedRule[];

/** Programs are attached before the rules that need them are in force. The error is one line and names the selector. */
export async function attachHooks(
  groups: readonly PlannedGroup[],
  programs: Pick<AttachedPrograms, "attach">,
): Promise<Result<readonly AttachedGroup[], string>> {
  /** Many rules of a policy are about the same hooks. */
  const attached = new Map<string, number>();
  const done: AttachedGroup[] = [];
  for (const group of groups) {
    const rules: AttachedRule[] = [];
    for (const planned of group) {
      const hookNames = new Map<number, string>();
      for (const hook of planned.rule.hooks) {
        const text = JSON.stringify(hook);
        const known = attached.get(text);
        const id = known === undefined ? await programs.attach(hook) : ok(known);
        if (!id.ok) return { ok: false, error: `${planned.selector}: ${id.error}` };
        attached.set(text, id.value);
        hookNames.set(id.value, reportedHook(planned.report, hook));
      }
      const hookIds = new Set(hookNames.keys());
      rules.push({ ...planned, hookIds, hookNames, owner: withHooks(planned, hookIds) });
    }
    done.push(rules);
  }
  return ok(done);
}

/** A rule of an earlier agent is another one where its hooks had other numbers. */
const withHooks = ({ owner }: PlannedRule, hookIds: ReadonlySet<number>): PlannedRule["owner"] => ({
  ...owner,
  digest: [owner.digest, ...[...hookIds].toSorted((one, other) => one - other)].join("."),
});
