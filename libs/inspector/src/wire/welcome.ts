// SPDX-License-Identifier: Apache-2.0
// What a new client gets before it takes part in what happens: the actors as they are, or for a client that comes back
// the events that it has missed.

import type { RecordedEvent } from "../core/history.ts";
import type { RecordedActor } from "../core/recorder.ts";
import { type Definitions, noDefinitions, renderActor, renderEvent, renderHello } from "./stately-events.ts";

export interface WelcomedClient {
  /** The last event that the client has, and the process that numbered it; undefined for a client that does not say. */
  readonly resume: { readonly after: number; readonly boot: string } | undefined;
  readonly wantsDefinitions: boolean;
}

export interface WelcomeSource {
  readonly boot: string;
  readonly program: string;
  readonly definitions: Definitions;
  readonly explains: boolean;
  /** Living actors in the order of their start, then those that have ended. */
  actors(): Iterable<RecordedActor>;
  eventsAfter(sequence: number): { readonly events: readonly RecordedEvent[]; readonly missed: number };
  /** The number of the last event, after what is pending was recorded. */
  settle(): number;
}

/**
 * Messages in their order. A client may take long to read them: the last ones are the events that were recorded since,
 * so at the end it has all. Returns whether it does; false if events were dropped from the history meanwhile.
 */
export function* listWelcome(client: WelcomedClient, source: WelcomeSource): Generator<string, boolean> {
  const { boot, program, explains } = source;
  const definitions = client.wantsDefinitions ? source.definitions : noDefinitions;
  const { resume } = client;
  let sequence = source.settle();
  const missed = resume?.boot === boot ? source.eventsAfter(resume.after).missed : 0;
  const continues = resume?.boot === boot && missed === 0;
  const actors = continues ? [] : [...source.actors()];
  if (resume !== undefined) {
    const machines = [...source.definitions.keys()];
    const count = continues ? undefined : actors.length;
    yield renderHello({ boot, sequence, missed, actors: count, program, machines, explains });
  }
  const since = sequence;
  for (const actor of actors) yield renderActor(actor, definitions, since);
  if (continues) sequence = resume.after;
  while (true) {
    source.settle();
    const { events, missed } = source.eventsAfter(sequence);
    if (missed > 0) return false;
    if (events.length === 0) return true;
    for (const event of events) {
      yield renderEvent(event, definitions);
      sequence = event.sequence;
    }
  }
}
