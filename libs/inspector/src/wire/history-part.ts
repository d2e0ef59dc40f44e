// SPDX-License-Identifier: Apache-2.0
// A part of the history as lines of JSON: what a client asks for that wants to see the time before it came.

import type { Recorder } from "../core/recorder.ts";
import { type Definitions, noDefinitions, renderEvent, renderHistoryHead } from "./stately-events.ts";

export interface HistoryRequest {
  /** Events with lower numbers are wanted. */
  readonly before: number;
  /** Not more than so many, the last of them. */
  readonly limit: number;
  readonly wantsDefinitions: boolean;
}

export interface HistorySource extends Pick<Recorder, "eventsBefore"> {
  readonly boot: string;
  readonly program: string;
  readonly definitions: Definitions;
  /** The number of the last event, after what is pending was recorded. */
  settle(): number;
}

const defaultLimit = 1000;
const maxLimit = 20_000;

/** `?before=SEQUENCE&limit=COUNT&definitions=none`, each optional. A value that is not a number counts as missing. */
export function readHistoryRequest(query: URLSearchParams): HistoryRequest {
  const read = (name: string): number | undefined => {
    const value = Number(query.get(name) ?? Number.NaN);
    return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  return {
    before: read("before") ?? Number.MAX_SAFE_INTEGER,
    limit: Math.min(maxLimit, read("limit") ?? defaultLimit),
    wantsDefinitions: query.get("definitions") !== "none",
  };
}

/** The head, and then the events in their order, as the WebSocket's messages. The events are chosen at the first line. */
export function* listHistory(request: HistoryRequest, source: HistorySource): Generator<string, void> {
  const { boot, program } = source;
  const before = Math.min(request.before, source.settle() + 1);
  const { events, oldest } = source.eventsBefore(before, request.limit);
  const first = events[0]?.sequence ?? before;
  yield renderHistoryHead({ boot, program, machines: [...source.definitions.keys()], oldest, first, before });
  const definitions = request.wantsDefinitions ? source.definitions : noDefinitions;
  for (const event of events) yield renderEvent(event, definitions);
}
