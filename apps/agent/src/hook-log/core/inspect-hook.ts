// SPDX-License-Identifier: Apache-2.0
// Shows a hook invocation that is over to an inspector, as if the hook machine had run here at that time.

import { createInspectedRef, type Inspect } from "@rthooks/machines/inspection";
import type { Snapshot, StateValue } from "xstate";
import type { LoggedInvocation } from "./logged-invocation.ts";

type HookSnapshot = Snapshot<undefined> & { readonly value: StateValue; readonly context: object };

/** The actor is named `hook:CONTAINERID`, as the plugin names its own. */
export function inspectHook(inspect: Inspect, invocation: LoggedInvocation): void {
  const { containerId, startedMs, steps } = invocation;
  let snapshot: HookSnapshot = toSnapshot("", false, toContext(invocation, ""));
  const id = `hook:${containerId}`;
  const actorRef = createInspectedRef({
    id,
    // One container can have two invocations.
    sessionId: `${id}@${startedMs}`,
    machine: "hook",
    getSnapshot: () => snapshot,
  });
  const about = { rootId: actorRef.sessionId, actorRef };
  inspect({ ...about, type: "@xstate.actor" }, startedMs);
  for (const [index, { atMs, event: type, state }] of steps.entries()) {
    const event = { type };
    inspect({ ...about, type: "@xstate.event", sourceRef: undefined, event }, atMs);
    snapshot = toSnapshot(state, index === steps.length - 1, toContext(invocation, state));
    inspect({ ...about, type: "@xstate.snapshot", event, snapshot }, atMs);
  }
}

/**
 * The names are where the context of a container's machine has them. What came of the invocation is not there before it is
 * decided: while the hook works, in the states inside of `active`.
 */
function toContext(invocation: LoggedInvocation, state: string): object {
  const { containerId, container, image, namespace, pod, podUid } = invocation;
  const { outcome, failure, denial, omittedSteps } = invocation;
  const report = {
    ...{ containerId, containerName: container, containerImage: image },
    ...{ podNamespace: namespace, podName: pod, podUid },
  };
  if (state === "" || state.startsWith("active.")) return { report };
  return {
    report,
    outcome,
    failure,
    denial: denial === "" ? undefined : denial,
    omittedSteps: omittedSteps === 0 ? undefined : omittedSteps,
  };
}

function toSnapshot(state: string, isLast: boolean, context: object): HookSnapshot {
  const status = isLast ? "done" : "active";
  return { status, output: undefined, error: undefined, value: toStateValue(state), context };
}

/** As deep as the hook machine is, and more. */
const MAX_DEPTH = 8;

/** "active.reaching.connecting" is { active: { reaching: "connecting" } }. */
function toStateValue(state: string): StateValue {
  const names = state.split(".", MAX_DEPTH);
  const leaf = names.pop() ?? "";
  return names.reduceRight<StateValue>((inner, name) => ({ [name]: inner }), leaf);
}
