// SPDX-License-Identifier: Apache-2.0
// Tetragon's calls about tracing policies.

import type { Logger } from "@rthooks/log";
import { renderProblem, type TracingPolicy } from "@rthooks/policy";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary, type WireError } from "../../base/wire/service.ts";
import type { PolicyParser } from "../../policies/core/policy-parser.ts";
import {
  type PolicyName,
  type PolicyStatus,
  type PolicyStore,
  toPolicyName,
} from "../../policies/core/policy-store.ts";
import type { PendingChange, PolicyArchive, PolicyChange } from "../../policies/edge/policy-archive.ts";
import { toSettableMode, toStatusMessage } from "../wire/policy-messages.ts";

const DEFAULT_DOMAIN = "grpc";

interface PolicyServiceOptions {
  readonly policies: PolicyStore;
  readonly archive: PolicyArchive;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  onBug(error: unknown): void;
}

export function registerPolicyService(to: Registrar, options: PolicyServiceOptions): void {
  const { policies, archive, parser, log, onBug } = options;
  const service = FineGuidanceSensorsDefinition;
  const { methods } = service;

  /** Says on both sides what became of the call. */
  const conclude = (
    done: Result<unknown, string>,
    code: GrpcCode,
    what: string,
    fields: Readonly<Record<string, string>>,
  ): Result<Record<string, never>, WireError> => {
    if (done.ok) {
      log.info(`tracing policy ${what}`, fields);
      return ok({});
    }
    log.warn(`tracing policy not ${what}`, { ...fields, err: done.error });
    return err({ code, details: done.error });
  };

  const find = (name: PolicyName): PolicyStatus | undefined =>
    policies.list(name.domain).find((one) => one.name === name.name && one.namespace === name.namespace);

  /** The kernel has what was asked for, or has refused it. */
  const whenSettled = (then: () => void): void => void policies.settled().then(then).catch(onBug);

  const add = async (
    policy: Result<TracingPolicy, string>,
    yaml: string,
    domain: string,
  ): Promise<Result<Record<string, never>, WireError>> => {
    if (!policy.ok) return conclude(policy, grpcCode.invalidArgument, "added", { domain });
    const name = toPolicyName(domain, policy.value);
    for (const warning of policy.value.warnings) {
      log.warn("tracing policy says less than it seems to", { ...name, warning: renderProblem(warning) });
    }
    const undo = (): void => {
      policies.remove(name);
      archive.remove(name);
    };
    const added = applyKept(archive.save(name, yaml), () => policies.add(domain, policy.value), undo);
    if (added.ok) await policies.settled();
    const found = added.ok ? find(name) : undefined;
    const isRefused = found?.state === "load_error";
    if (isRefused) undo();
    const done = isRefused ? err(found.error) : added;
    return conclude(done, grpcCode.failedPrecondition, "added", { ...name });
  };

  registerUnary(
    to,
    service,
    methods.addTracingPolicy,
    ({ yaml, domain }, answer) => {
      parser
        .parsePolicy(yaml)
        .then((policy) => add(policy, yaml, domain || DEFAULT_DOMAIN))
        .then(answer)
        .catch((error: unknown) => {
          onBug(error);
          answer(err({ code: grpcCode.internal, details: describeError(error) }));
        });
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.deleteTracingPolicy,
    (request, answer) => {
      const name = toName(request);
      // From the disk first: where that fails the policy stays in force, as the answer says.
      const isKept = find(name) !== undefined && isFromCalls(name);
      const forgotten = isKept ? archive.remove(name) : ok(undefined);
      const code = forgotten.ok ? grpcCode.notFound : grpcCode.failedPrecondition;
      const deleted = forgotten.ok ? policies.remove(name) : forgotten;
      whenSettled(() => answer(conclude(deleted, code, "deleted", { ...name })));
    },
    onBug,
  );
  const configure = (name: PolicyName, change: PolicyChange): Result<Record<string, never>, WireError> => {
    const before = find(name);
    const apply = (): Result<void, string> => policies.configure(name, change);
    const undo = (): void => {
      const { enable } = change;
      const mode = before?.mode === "monitor_only" ? undefined : before?.mode;
      policies.configure(name, {
        ...(enable === undefined ? {} : { enable: !enable }),
        ...(mode === undefined ? {} : { mode }),
      });
    };
    const isKept = before !== undefined && isFromCalls(name);
    const done = isKept ? applyKept(archive.update(name, change), apply, undo) : apply();
    return conclude(done, grpcCode.failedPrecondition, "configured", { ...name });
  };
  registerUnary(
    to,
    service,
    methods.configureTracingPolicy,
    ({ enable, mode, ...request }, answer) => {
      const wanted = mode === undefined ? undefined : toSettableMode(mode);
      if (mode !== undefined && wanted === undefined) {
        answer(
          err({ code: grpcCode.invalidArgument, details: "the mode of a policy is enforce or monitor" }),
        );
        return;
      }
      const change = {
        ...(enable === undefined ? {} : { enable }),
        ...(wanted === undefined ? {} : { mode: wanted }),
      };
      answer(configure(toName(request), change));
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.enableTracingPolicy,
    (request, answer) => answer(configure(toName(request), { enable: true })),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.disableTracingPolicy,
    (request, answer) => answer(configure(toName(request), { enable: false })),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.listTracingPolicies,
    ({ domain }, answer) => answer(ok({ policies: policies.list(domain).map(toStatusMessage) })),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.listDomains,
    (_, answer) => answer(ok({ domains: [...policies.domains()] })),
    onBug,
  );
}

/** Both or neither: what is in force after the call is what the next agent restores. */
function applyKept(
  pending: Result<PendingChange, string>,
  apply: () => Result<void, string>,
  undo: () => void,
): Result<void, string> {
  if (!pending.ok) return pending;
  const applied = apply();
  if (!applied.ok) {
    pending.value.discard();
    return applied;
  }
  const committed = pending.value.commit();
  if (!committed.ok) undo();
  return committed;
}

/** Others have a file or an object of the API server, which says what they are to be. */
const isFromCalls = ({ domain }: PolicyName): boolean => domain !== "static" && domain !== "k8s";

const toName = ({ name, namespace, domain }: PolicyName): PolicyName => ({
  name,
  namespace,
  domain: domain || DEFAULT_DOMAIN,
});
