// SPDX-License-Identifier: Apache-2.0
// What a client of GetEvents, or the flags of the export, ask for.

import { FieldFilterAction, GetEventsRequest } from "@rthooks/proto/events";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ClientWishes } from "../core/event-clients.ts";
import { compileSelection } from "../core/event-selection.ts";
import { compileFieldFilters, type FieldCut } from "../core/field-filter.ts";
import { messageForm } from "./message-form.ts";

export interface EventWishes extends ClientWishes {
  readonly cut: FieldCut;
}

/** The filters of a client may have some hundred regular expressions. */
const maxBytes = 256 * 1024;

export function readRequest(bytes: Uint8Array, nowMs: () => number): Result<EventWishes, string> {
  if (bytes.length > maxBytes) return err(`the request has ${bytes.length} bytes: ${maxBytes} are allowed`);
  let request: GetEventsRequest;
  try {
    request = GetEventsRequest.decode(bytes);
  } catch (error) {
    return err(`the request is not a valid protobuf message: ${describeError(error)}`);
  }
  return compileWishes(request, nowMs);
}

export function compileWishes(
  { allowList, denyList, fieldFilters }: GetEventsRequest,
  nowMs: () => number,
): Result<EventWishes, string> {
  const selection = compileSelection(allowList, denyList, nowMs);
  if (!selection.ok) return selection;
  const written = fieldFilters.map(({ eventSet, fields, action, invertEventSet }) => ({
    eventSet,
    paths: fields ?? [],
    excludes: action === FieldFilterAction.EXCLUDE,
    invertsEventSet: invertEventSet === true,
  }));
  const cut = compileFieldFilters(written, messageForm);
  if (!cut.ok) return cut;
  return ok({
    ...selection.value,
    fieldsKey: written.length === 0 ? "" : JSON.stringify(written),
    cut: cut.value,
  });
}
