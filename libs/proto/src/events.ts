// SPDX-License-Identifier: Apache-2.0
// The messages of GetEvents, and their JSON.

export { toEventJson } from "./event-json/event-json.ts";
export { toProcessJson } from "./event-json/process-json.ts";
export { eventFields } from "./gen/tetragon/event-fields.ts";
export {
  EventType,
  FieldFilterAction,
  GetEventsRequest,
  GetEventsResponse,
  KprobeAction,
  KprobeArgument,
  Process,
} from "./gen/tetragon/events.ts";
