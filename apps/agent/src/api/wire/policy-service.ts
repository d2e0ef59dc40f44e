// SPDX-License-Identifier: Apache-2.0
// Tetragon's calls about tracing policies.

import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { err, ok, type Result } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { answerWhenDone, registerUnary, type WireError } from "../../base/wire/service.ts";
import type { Enforcement } from "../../enforcement/core/enforcement.ts";
import { toPolicyKey } from "../../filter/core/filter-key.ts";
import type { PolicyCommands, PolicyFailure } from "../../policies/core/policy-commands.ts";
import type { PolicyStore } from "../../policies/core/policy-store.ts";
import { toPolicyChange, toPolicyError, toStatusMessage } from "./policy-messages.ts";

export interface PolicyHandlers {
  readonly policies: Pick<PolicyStore, "list" | "domains">;
  readonly policyCommands: PolicyCommands;
  readonly enforcement: Pick<Enforcement, "countsOf">;
}

export function registerPolicyService(
  to: Registrar,
  { policies, policyCommands, enforcement }: PolicyHandlers,
  onBug: (error: unknown) => void,
): void {
  const service = FineGuidanceSensorsDefinition;
  const { methods } = service;
  const toEmpty = (done: Result<void, PolicyFailure>): Result<Record<string, never>, WireError> =>
    done.ok ? ok({}) : err(toPolicyError(done.error));
  const conclude = (
    pending: Promise<Result<void, PolicyFailure>>,
    answer: (result: Result<Record<string, never>, WireError>) => void,
  ): void => answerWhenDone(pending.then(toEmpty), answer, onBug);

  registerUnary(
    to,
    service,
    methods.addTracingPolicy,
    ({ yaml, domain }, answer) => conclude(policyCommands.add(yaml, domain), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.deleteTracingPolicy,
    (request, answer) => conclude(policyCommands.remove(request), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.configureTracingPolicy,
    (request, answer) => {
      const change = toPolicyChange(request);
      if (change.ok) conclude(policyCommands.configure(request, change.value), answer);
      else answer(change);
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.enableTracingPolicy,
    (request, answer) => conclude(policyCommands.configure(request, { enable: true }), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.disableTracingPolicy,
    (request, answer) => conclude(policyCommands.configure(request, { enable: false }), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.listTracingPolicies,
    ({ domain }, answer) => {
      const listed = policies.list(domain);
      const messages = listed.map((one) => toStatusMessage(one, enforcement.countsOf(toPolicyKey(one))));
      answer(ok({ policies: messages }));
    },
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
