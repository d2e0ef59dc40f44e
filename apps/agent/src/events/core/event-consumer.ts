// SPDX-License-Identifier: Apache-2.0

import type { AgentEvent } from "./agent-event.ts";

/** Gets all events, in their order. Its methods do not throw and do not wait. */
export interface EventConsumer {
  publish(event: AgentEvent): void;
  /** After each batch of events, and at least once a second. */
  flush(): void;
}
