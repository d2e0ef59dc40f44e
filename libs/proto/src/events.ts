// SPDX-License-Identifier: Apache-2.0
// The messages of GetEvents, and their JSON.

export { toEventJson } from "./event-json/event-json.ts";
export {
  EventType,
  FieldFilter,
  FieldFilterAction,
  Filter,
  GetEventsRequest,
  GetEventsResponse,
  KprobeAction,
  KprobeArgument,
  type Pod,
  Process,
} from "./gen/tetragon/events.ts";
