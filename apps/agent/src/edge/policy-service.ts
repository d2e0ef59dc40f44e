// SPDX-License-Identifier: Apache-2.0
// Tetragon's calls about tracing policies.

import { type Server, status } from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { err, ok, type Result } from "@rthooks/result";
import type { PolicyName, PolicyStore } from "../core/policy-store.ts";
import { toSettableMode, toStatusMessage } from "../wire/policy-messages.ts";
import { registerUnary, type WireError } from "../wire/service.ts";
import { parsePolicyText } from "./policy-text.ts";

const DEFAULT_DOMAIN = "grpc";

export function registerPolicyService(
  server: Server,
  policies: PolicyStore,
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
      const { name, namespace = "" } = policy.value;
      const added = policies.add(where, policy.value);
      answer(conclude(added, status.FAILED_PRECONDITION, "added", { name, namespace, domain: where }));
    },
    onBug,
  );
  registerUnary(
    server,
    service,
    methods.deleteTracingPolicy,
    (request, answer) => {
      const name = toName(request);
      answer(conclude(policies.remove(name), status.NOT_FOUND, "deleted", { ...name }));
    },
    onBug,
  );
  const configure = (
    name: PolicyName,
    change: Parameters<PolicyStore["configure"]>[1],
  ): Result<Record<string, never>, WireError> =>
    conclude(policies.configure(name, change), status.FAILED_PRECONDITION, "configured", { ...name });
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

const toName = ({ name, namespace, domain }: PolicyName): PolicyName => ({
  name,
  namespace,
  domain: domain || DEFAULT_DOMAIN,
});
