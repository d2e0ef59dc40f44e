// SPDX-License-Identifier: Apache-2.0
// What becomes of each event of the runtime. Only the two that stand for a container's start may take time.

import { performance } from "node:perf_hooks";
import type { Logger } from "@rthooks/log";
import type { NriCall, NriEvent } from "@rthooks/nri";
import type { Container } from "@rthooks/proto/nri";
import { ok } from "@rthooks/result";
import { createHookAcceptance } from "../core/hook-acceptance.ts";
import type { HeldBy, KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import { type EffectiveMode, holdsAtStart, toDecisionMs } from "../core/runtime-mode.ts";
import { hasRoomFor, type SynchronizeStyle } from "../core/synchronization-room.ts";
import { toPod } from "../wire/nri-pod.ts";
import { type ContainerStart, toFields } from "./container-start.ts";
import { askAgent, type Decider, injectHook, refusePod, refuseTooLarge } from "./decide-container.ts";
import { type Answer, holdInTime } from "./hold-in-time.ts";
import type { Reporter } from "./reporter.ts";

/** What the runtime's configuration of the plugin came to. */
interface Settings {
  readonly decider: Decider;
  readonly mode: EffectiveMode;
  readonly style: SynchronizeStyle;
  readonly runtimeName: string;
}

export interface EventDecision {
  configure(settings: Settings): void;
  decide(happened: NriEvent, call: NriCall): Promise<Answer>;
}

export interface EventDecisionSetup {
  readonly known: KnownContainers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly reporter: Reporter;
}

/** Of the injected hook, beside the pod's labels: its arguments. */
const HOOK_BYTES = 4096;
/** For the question whether the agent knows a container: an agent that is there answers in a millisecond. */
const QUESTION_MS = 300;

export function createEventDecision({ known, metrics, log, reporter }: EventDecisionSetup): EventDecision {
  let settings: Settings | undefined;
  let acceptance = createHookAcceptance();

  /** A pod's labels and annotations count too, in its own event, which a runtime heeds like a container's. */
  const admitPod = ({ pod, podBytes }: NriEvent): Answer => {
    if (settings === undefined) return ok(undefined);
    if (hasRoomFor({ newPodBytes: podBytes }, known.sizesWithout(""), settings.style)) {
      known.putSandbox(pod.id, podBytes);
      return ok(undefined);
    }
    metrics.countTooLarge();
    return refusePod(log, toPod(pod), podBytes);
  };

  const create = async (
    { decider, mode }: Settings,
    start: ContainerStart,
    call: NriCall,
  ): Promise<{ readonly answer: Answer; readonly heldBy: HeldBy }> => {
    if (mode === "direct") return { answer: ok(undefined), heldBy: "nothing" };
    const answer = await holdInTime(decider, start, call, () => injectHook(decider, start));
    const isHooked = answer.ok && answer.value !== undefined;
    if (isHooked) acceptance.added(start.container.id);
    return { answer, heldBy: isHooked ? "hook" : "nothing" };
  };

  /** A hook that was added need not have run: some runtime handlers, such as Kata's, run none. */
  const startHooked = async (decider: Decider, start: ContainerStart, call: NriCall): Promise<Answer> => {
    const leftMs = toDecisionMs(call, performance.now(), decider.options.hookConfig["grpc-timeout"]);
    const isReleased = await decider
      .client()
      .hasReleased(start.container.id, Math.min(QUESTION_MS, leftMs / 4));
    if (isReleased === true) return ok(undefined);
    // Without an agent it is not known whether the hook ran; the fail check has the word again.
    if (isReleased === undefined) return askAgent(decider, start, call, "after its hook");
    metrics.countUnhooked(start.handler);
    log.warn("the container's hook has not asked the agent: does its runtime handler run OCI hooks?", {
      ...toFields(start),
      handler: start.handler === "" ? "the default one" : start.handler,
    });
    return askAgent(decider, start, call, "in its hook's place");
  };

  const hold = async (
    happened: NriEvent & { readonly name: "CreateContainer" | "StartContainer" },
    container: Container,
    call: NriCall,
  ): Promise<Answer> => {
    if (settings === undefined) return ok(undefined);
    const { decider, mode, style, runtimeName } = settings;
    const { name, pod: sandbox, podBytes } = happened;
    const isCreated = name === "CreateContainer";
    const start: ContainerStart = {
      pod: toPod(sandbox),
      container,
      handler: sandbox.runtimeHandler,
      isBinding: isCreated || holdsAtStart(runtimeName),
    };
    // The labels are a part of the hook that is added, and of the pod.
    const containerBytes =
      happened.containerBytes + (isCreated && mode === "inject" ? HOOK_BYTES + podBytes : 0);
    const newPodBytes = known.hasSandbox(sandbox.id) ? undefined : podBytes;
    if (!hasRoomFor({ containerBytes, newPodBytes }, known.sizesWithout(container.id), style)) {
      metrics.countTooLarge();
      return refuseTooLarge(decider, start, podBytes + happened.containerBytes);
    }
    const put = (heldBy: HeldBy): void => {
      known.putSandbox(sandbox.id, podBytes);
      known.put({ sandbox, container, heldBy, containerBytes });
    };
    if (isCreated) {
      const { answer, heldBy } = await create(settings, start, call);
      if (answer.ok) put(heldBy);
      return answer;
    }
    acceptance.created(container.id);
    const heldBy = known.find(container.id)?.heldBy;
    if (heldBy === "plugin") return ok(undefined);
    const answer = await holdInTime(decider, start, call, () =>
      heldBy === "hook" ? startHooked(decider, start, call) : askAgent(decider, start, call),
    );
    if (answer.ok) put("plugin");
    return answer;
  };

  const noteUndone = (containerId: string): void => {
    if (settings?.mode !== "inject" || !acceptance.undone(containerId)) return;
    const isHeldAtStart = holdsAtStart(settings.runtimeName);
    if (isHeldAtStart) settings = { ...settings, mode: "direct" };
    log.error("the runtime makes no container with the hook that was added to it", {
      err: isHeldAtStart
        ? "no hook is added from now on: containers are held at StartContainer, as with --mode direct"
        : "containers fail to be created",
      remedy: "look for reject_oci_hook_adjustment of NRI's default validator in the runtime's configuration",
    });
  };

  const decide = async (happened: NriEvent, call: NriCall): Promise<Answer> => {
    const { name, pod: sandbox, container } = happened;
    switch (name) {
      case "CreateContainer":
      case "StartContainer":
        return container === undefined ? ok(undefined) : hold({ ...happened, name }, container, call);
      case "RunPodSandbox":
        return admitPod(happened);
      case "PostCreateContainer":
        if (container !== undefined) acceptance.created(container.id);
        return ok(undefined);
      case "StopContainer":
      case "RemoveContainer":
        if (container === undefined) return ok(undefined);
        noteUndone(container.id);
        // A removed container was stopped before, but the plugin may have been away then.
        if (known.remove(container.id) || name === "StopContainer") reporter.reportStopped([container.id]);
        return ok(undefined);
      case "RemovePodSandbox":
        reporter.reportStopped(known.removeSandbox(sandbox.id));
        return ok(undefined);
      default:
        return ok(undefined);
    }
  };

  return {
    configure(given) {
      settings = given;
      acceptance = createHookAcceptance();
    },
    decide,
  };
}
