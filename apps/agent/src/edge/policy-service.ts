// SPDX-License-Identifier: Apache-2.0
// Tetragon's calls about tracing policies.

import { type Server, status } from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import { renderProblem } from "@rthooks/policy";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { err, ok, type Result } from "@rthooks/result";
import { type PolicyName, type PolicyStore, toPolicyName } from "../core/policy-store.ts";
import { toSettableMode, toStatusMessage } from "../wire/policy-messages.ts";
import { registerUnary, type WireError } from "../wire/service.ts";
import type { PolicyArchive } from "./policy-archive.ts";
import { parsePolicyText } from "./policy-text.ts";

const DEFAULT_DOMAIN = "grpc";

export function registerPolicyService(
  server: Server,
  policies: PolicyStore,
  archive: PolicyArchive,
  log: Logger,
  onBug: (error: unknown) => void,
): void {
  const service = FineGuidanceSensorsDefinition;
  const { methods } = service;

  /** Says on both sides what became of the call. */
  const conclude = (
    done: Result<unknown, string>,
    code: status,
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

  registerUnary(
    server,
    service,
    methods.addTracingPolicy,
    ({ yaml, domain }, answer) => {
      const policy = parsePolicyText(yaml);
      const where = domain || DEFAULT_DOMAIN;
      if (!policy.ok) {
        answer(conclude(policy, status.INVALID_ARGUMENT, "added", { domain: where }));
        return;
      }
      const name = toPolicyName(where, policy.value);
      for (const warning of policy.value.warnings) {
        log.warn("tracing policy says less than it seems to", { ...name, warning: renderProblem(warning) });
      }
      const added = policies.add(where, policy.value);
      const saved = added.ok ? archive.save(name, yaml) : added;
      // One that would be gone with the agent is not what was asked for.
      if (added.ok && !saved.ok) policies.remove(name);
      answer(conclude(saved, status.FAILED_PRECONDITION, "added", { ...name }));
    },
    onBug,
  );
  registerUnary(
    server,
    service,
    methods.deleteTracingPolicy,
    (request, answer) => {
      const name = toName(request);
      const removed = policies.remove(name);
      const forgotten = removed.ok ? archive.remove(name) : removed;
      answer(conclude(forgotten, status.NOT_FOUND, "deleted", { ...name }));
    },
    onBug,
  );
  const configure = (
    name: PolicyName,
    change: Parameters<PolicyStore["configure"]>[1],
  ): Result<Record<string, never>, WireError> => {
    const configured = policies.configure(name, change);
    const found = policies
      .list(name.domain)
      .find((one) => one.name === name.name && one.namespace === name.namespace);
    const isKept = configured.ok && found !== undefined && isFromCalls(name);
    const done = isKept ? archive.update(found) : configured;
    return conclude(done, status.FAILED_PRECONDITION, "configured", { ...name });
  };
  registerUnary(
    server,
    service,
    methods.configureTracingPolicy,
    ({ enable, mode, ...request }, answer) => {
      const wanted = mode === undefined ? undefined : toSettableMode(mode);
      if (mode !== undefined && wanted === undefined) {
        answer(err({ code: status.INVALID_ARGUMENT, details: "the mode of a policy is enforce or monitor" }));
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
    server,
    service,
    methods.enableTracingPolicy,
    (request, answer) => answer(configure(toName(request), { enable: true })),
    onBug,
  );
  registerUnary(
    server,
    service,
    methods.disableTracingPolicy,
    (request, answer) => answer(configure(toName(request), { enable: false })),
    onBug,
  );
  registerUnary(
    server,
    service,
    methods.listTracingPolicies,
    ({ domain }, answer) => answer(ok({ policies: policies.list(domain).map(toStatusMessage) })),
    onBug,
  );
  registerUnary(
    server,
    service,
    methods.listDomains,
    (_, answer) => answer(ok({ domains: [...policies.domains()] })),
    onBug,
  );
}

/** Others have a file or an object of the API server, which says what they are to be. */
const isFromCalls = ({ domain }: PolicyName): boolean => domain !== "static" && domain !== "k8s";

const toName = ({ name, namespace, domain }: PolicyName): PolicyName => ({
  name,
  namespace,
  domain: domain || DEFAULT_DOMAIN,
});
