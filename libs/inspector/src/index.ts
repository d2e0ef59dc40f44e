// SPDX-License-Identifier: Apache-2.0
// Live inspection of state machines.

export type { InspectorFacts } from "./core/answer-facts.ts";
export type { RecordedEvent } from "./core/history.ts";
export { createRecorder, type RecordedActor, type Recorder } from "./core/recorder.ts";
export { type InspectorOptions, type OpenedInspector, openInspector } from "./edge/open-inspector.ts";
export { type InspectorServer, serveInspector } from "./edge/serve-inspector.ts";
export { type Definitions, renderActor, renderEvent } from "./wire/stately-events.ts";
