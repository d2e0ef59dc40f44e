// SPDX-License-Identifier: Apache-2.0
// Changes of policies that a client asks for. Archive and store change together or not at all: the new file is written
// beside its place, then the policy is loaded, and the rename of the file comes last.

import type { Logger } from "@rthooks/log";
import { renderProblem, type TracingPolicy } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { createSequence } from "../../base/core/sequence.ts";
import type { PendingChange, PolicyArchive } from "./policy-archive.ts";
import { GRPC_DOMAIN, isKeptDomain } from "./policy-domain.ts";
import type { PolicyParser } from "./policy-parser.ts";
import {
  type PolicyChange,
  type PolicyName,
  type PolicyStatus,
  type PolicyStore,
  toPolicyName,
} from "./policy-store.ts";

export interface PolicyFailure {
  /** `refused`: the agent cannot do it now; nothing has changed. */
  readonly kind: "invalid" | "not-found" | "refused";
  /** One line for each problem of an invalid policy, else one line. */
  readonly message: string;
}

/** Commands are carried out one after the other. An empty domain stands for `GRPC_DOMAIN`. */
export interface PolicyCommands {
  /** Resolves when the policy is in force, or refused. */
  add(yaml: string, domain: string): Promise<Result<void, PolicyFailure>>;
  /** Resolves when the policy is out of force. */
  remove(name: PolicyName): Promise<Result<void, PolicyFailure>>;
  /** Resolves when the policy is as it is to be, or as it was. */
  configure(name: PolicyName, change: PolicyChange): Promise<Result<void, PolicyFailure>>;
}

interface PolicyCommandsOptions {
  readonly policies: Pick<PolicyStore, "add" | "remove" | "configure" | "find" | "settled">;
  readonly archive: Pick<PolicyArchive, "save" | "update" | "remove">;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
}

export function createPolicyCommands(options: PolicyCommandsOptions): PolicyCommands {
  const { policies, archive, parser, log } = options;
  const commands = createSequence();

  /** The outcome for the client and for the log. */
  const conclude = (
    done: Result<void, string>,
    kind: PolicyFailure["kind"],
    what: string,
    fields: Readonly<Record<string, string>>,
  ): Result<void, PolicyFailure> => {
    if (done.ok) {
      log.info(`tracing policy ${what}`, fields);
      return done;
    }
    log.warn(`tracing policy not ${what}`, { ...fields, err: done.error });
    return err({ kind, message: done.error });
  };

  const add = async (
    yaml: string,
    domain: string,
    policy: TracingPolicy,
  ): Promise<Result<void, PolicyFailure>> => {
    const name = toPolicyName(domain, policy);
    const fields = toFields(name);
    for (const warning of policy.warnings)
      log.warn("tracing policy has ineffective settings", { ...fields, warning: renderProblem(warning) });
    const undo = async (): Promise<void> => {
      await policies.remove(name);
      archive.remove(name);
    };
    const added = await changeBoth(archive.save(name, yaml), () => policies.add(domain, policy), undo);
    if (!added.ok) return conclude(added, "refused", "added", fields);
    await policies.settled();
    const status = policies.find(name);
    if (status?.state !== "load_error") return conclude(added, "refused", "added", fields);
    await undo();
    return conclude(err(status.error), "refused", "added", fields);
  };

  const remove = async (name: PolicyName): Promise<Result<void, PolicyFailure>> => {
    // The file first: where it cannot be removed, the policy stays in force.
    const isKept = policies.find(name) !== undefined && isKeptDomain(name.domain);
    const forgotten = isKept ? archive.remove(name) : ok(undefined);
    const removed = forgotten.ok ? await policies.remove(name) : forgotten;
    await policies.settled();
    return conclude(removed, forgotten.ok ? "not-found" : "refused", "deleted", toFields(name));
  };

  const configure = async (name: PolicyName, change: PolicyChange): Promise<Result<void, PolicyFailure>> => {
    const before = policies.find(name);
    const apply = (): Promise<Result<void, string>> => policies.configure(name, change);
    const done =
      before !== undefined && isKeptDomain(name.domain)
        ? await changeBoth(archive.update(name, change), apply, async () => {
            await policies.configure(name, reverse(change, before));
          })
        : await apply();
    return conclude(done, "refused", "configured", toFields(name));
  };

  return {
    async add(yaml, givenDomain) {
      const domain = givenDomain || GRPC_DOMAIN;
      const policy = await parser.parsePolicy(yaml);
      if (!policy.ok) return conclude(policy, "invalid", "added", { domain });
      return await commands.run(() => add(yaml, domain, policy.value));
    },
    remove: (given) => commands.run(() => remove(toFullName(given))),
    configure: (given, change) => commands.run(() => configure(toFullName(given), change)),
  };
}

async function changeBoth(
  pending: Result<PendingChange, string>,
  apply: () => Promise<Result<void, string>>,
  undo: () => Promise<void>,
): Promise<Result<void, string>> {
  if (!pending.ok) return pending;
  const applied = await apply();
  if (!applied.ok) {
    pending.value.discard();
    return applied;
  }
  const committed = pending.value.commit();
  if (!committed.ok) await undo();
  return committed;
}

/** The change that restores `before`. */
const reverse = ({ enable }: PolicyChange, { mode }: PolicyStatus): PolicyChange => ({
  ...(enable === undefined ? {} : { enable: !enable }),
  ...(mode === "enforce" || mode === "monitor" ? { mode } : {}),
});

const toFullName = ({ name, namespace, domain }: PolicyName): PolicyName => ({
  name,
  namespace,
  domain: domain || GRPC_DOMAIN,
});

const toFields = ({ name, namespace, domain }: PolicyName): Readonly<Record<string, string>> => ({
  policy: name,
  namespace,
  domain,
});
