// SPDX-License-Identifier: Apache-2.0
// Tetragon's calls about tracing policies.

import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary, type WireError } from "../../base/wire/service.ts";
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
  const answerWhenDone = (
    pending: Promise<Result<void, PolicyFailure>>,
    answer: (result: Result<Record<string, never>, WireError>) => void,
  ): void => {
    pending
      .then((done) => answer(toEmpty(done)))
      .catch((error: unknown) => {
        onBug(error);
        answer(err({ code: grpcCode.internal, details: describeError(error) }));
      });
  };

  registerUnary(
    to,
    service,
    methods.addTracingPolicy,
    ({ yaml, domain }, answer) => answerWhenDone(policyCommands.add(yaml, domain), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.deleteTracingPolicy,
    (request, answer) => answerWhenDone(policyCommands.remove(request), answer),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.configureTracingPolicy,
    (request, answer) => {
      const change = toPolicyChange(request);
      answer(change.ok ? toEmpty(policyCommands.configure(request, change.value)) : change);
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.enableTracingPolicy,
    (request, answer) => answer(toEmpty(policyCommands.configure(request, { enable: true }))),
    onBug,
  );
  registerUnary(
    to,
    service,
    methods.disableTracingPolicy,
    (request, answer) => answer(toEmpty(policyCommands.configure(request, { enable: false }))),
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
