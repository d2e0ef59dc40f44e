// SPDX-License-Identifier: Apache-2.0
// RuntimeHook of Tetragon's FineGuidanceSensors service: the call for which containers wait.

import { TRUSTED_HEADER } from "@rthooks/oci";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { err, ok } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary } from "../../base/wire/service.ts";
import type { HookRequest } from "../../containers/core/hook-request.ts";
import { toHookRequest, toWireError } from "./messages.ts";

/**
 * `request` is undefined for an event that this agent does not know. `deadlineMs`: when the caller stops waiting, Unix time
 * in milliseconds, or Infinity. `answer` is called once; undefined means that the container may start.
 */
export type OnHookRequest = (
  request: HookRequest | undefined,
  deadlineMs: number,
  answer: (refusal: Refusal | undefined) => void,
) => void;

export function registerRuntimeHookService(
  to: Registrar,
  onRequest: OnHookRequest,
  onBug: (error: unknown) => void,
): void {
  const service = FineGuidanceSensorsDefinition;
  registerUnary(
    to,
    service,
    service.methods.runtimeHook,
    ({ event }, answer, { metadata, deadlineMs }) => {
      const isTrusted = metadata.get(TRUSTED_HEADER)[0] === "1";
      const request = event === undefined ? undefined : toHookRequest(event.createContainer, isTrusted);
      onRequest(request, deadlineMs, (refusal) =>
        answer(refusal === undefined ? ok({}) : err(toWireError(refusal))),
      );
    },
    onBug,
  );
}
