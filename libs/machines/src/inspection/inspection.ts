// SPDX-License-Identifier: Apache-2.0
// The one place at which any machine can be watched. Every machine reports to an `Inspect` in XState's inspection
// protocol, whichever runner it has: "@xstate.actor" once, then for each event "@xstate.event", "@xstate.action" for each
// effect, and "@xstate.snapshot" with the state afterwards. Calls are synchronous, so the time of a call is the time of
// what it reports. Without an `Inspect` nothing is reported.

import type { InspectionEvent } from "xstate";

/** Must not throw, and must not send events to the actor. */
type Inspect = (inspected: InspectionEvent) => void;

/** For an actor that XState does not create. */
export interface InspectOptions {
  /** The actor's id in inspection events. */
  readonly id: string;
  readonly inspect: Inspect;
}
