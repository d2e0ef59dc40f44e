// SPDX-License-Identifier: Apache-2.0
// Handles each NRI event. Only CreateContainer and StartContainer wait for anything.

import { performance } from "node:perf_hooks";
import type { Logger } from "@rthooks/log";
import type { NriCall, NriContainer, NriEvent } from "@rthooks/nri";
import { ok } from "@rthooks/result";
import { createHookAcceptance } from "../core/hook-acceptance.ts";
import { isInjected } from "../core/injected-hook.ts";
import type { HeldBy, KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import { type EffectiveMode, holdsAtStart, toDecisionMs } from "../core/runtime-mode.ts";
import { canAdd, type SynchronizeStyle } from "../core/synchronization-size.ts";
import { toPod } from "../wire/nri-pod.ts";
import { type ContainerStart, toFields } from "./container-start.ts";
import { askAgent, type Decider, denyPod, denyTooLarge, injectHook } from "./decide-container.ts";
import { type Answer, decideInTime } from "./decide-in-time.ts";
import type { Reporter } from "./reporter.ts";

/** The result of the runtime's Configure request. */
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

/** Size of the injected hook without the pod's labels: its arguments. */
const HOOK_BYTES = 4096;
/** Limit for GetContainer; a reachable agent answers within a millisecond. */
const GET_CONTAINER_MS = 300;

export function createEventDecision({ known, metrics, log, reporter }: EventDecisionSetup): EventDecision {
  let settings: Settings | undefined;
  let acceptance = createHookAcceptance();
  /** Runtime handlers of which an injected hook has called the agent. A handler's program changes with the runtime's restart. */
  let hooking = new Set<string>();

  /** An error at RunPodSandbox denies the pod; its labels and annotations count towards the synchronization. */
  const admitPod = ({ pod, podBytes }: NriEvent): Answer => {
    if (settings === undefined) return ok(undefined);
    if (canAdd({ newPodBytes: podBytes }, known.sizesWithout(""), settings.style)) {
      known.putSandbox(pod.id, podBytes);
      return ok(undefined);
    }
    metrics.countTooLarge();
    return denyPod(log, toPod(pod), podBytes);
  };

  const create = async (
    { decider, mode }: Settings,
    start: ContainerStart,
    call: NriCall,
  ): Promise<{ readonly answer: Answer; readonly heldBy: HeldBy }> => {
    if (mode === "direct") return { answer: ok(undefined), heldBy: "nothing" };
    if (isInjected(decider.options.hook, start.container.hooks)) {
      log.debug("another plugin has added the hook", toFields(start));
      return { answer: ok(undefined), heldBy: "hook" };
    }
    const answer = await decideInTime(decider, start, call, () => injectHook(decider, start));
    const isHooked = answer.ok && answer.value !== undefined;
    if (isHooked) acceptance.added(start.container.id);
    return { answer, heldBy: isHooked ? "hook" : "nothing" };
  };

  /** Asks whether the injected hook ran: some runtime handlers, such as Kata's, run no hooks. */
  const startHooked = async (decider: Decider, start: ContainerStart, call: NriCall): Promise<Answer> => {
    const leftMs = toDecisionMs(call, performance.now(), decider.options.hookConfig["grpc-timeout"]);
    const isReleased = await decider
      .client()
      .hasReleased(start.container.id, Math.min(GET_CONTAINER_MS, leftMs / 4));
    if (isReleased === true) {
      hooking.add(start.handler);
      return ok(undefined);
    }
    // The hook has decided: the agent has ended since, or the hook's fail check allowed the start.
    if (isReleased === undefined && hooking.has(start.handler)) return ok(undefined);
    // Whether this handler runs hooks is not known without an agent: the fail check decides again.
    if (isReleased === undefined) return askAgent(decider, start, call, "after its hook");
    metrics.countUnhooked(start.handler);
    log.warn("the injected hook has not called the agent; the runtime handler may not run OCI hooks", {
      ...toFields(start),
      handler: start.handler === "" ? "(default)" : start.handler,
    });
    return askAgent(decider, start, call, "in its hook's place");
  };

  const hold = async (
    happened: NriEvent & { readonly name: "CreateContainer" | "StartContainer" },
    container: NriContainer,
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
    // The labels count twice: in the pod, and in the injected hook.
    const containerBytes =
      happened.containerBytes + (isCreated && mode === "inject" ? HOOK_BYTES + podBytes : 0);
    const newPodBytes = known.hasSandbox(sandbox.id) ? undefined : podBytes;
    if (!canAdd({ containerBytes, newPodBytes }, known.sizesWithout(container.id), style)) {
      metrics.countTooLarge();
      return denyTooLarge(decider, start, podBytes + happened.containerBytes);
    }
    const put = (heldBy: HeldBy): void => {
      known.putSandbox(sandbox.id, podBytes);
      known.put({ sandbox, container: { ...container, hooks: undefined }, heldBy, containerBytes });
    };
    if (isCreated) {
      const { answer, heldBy } = await create(settings, start, call);
      if (answer.ok) put(heldBy);
      return answer;
    }
    acceptance.created(container.id);
    const heldBy = known.find(container.id)?.heldBy;
    if (heldBy === "plugin") return ok(undefined);
    const answer = await decideInTime(decider, start, call, () =>
      heldBy === "hook" ? startHooked(decider, start, call) : askAgent(decider, start, call),
    );
    if (answer.ok) put("plugin");
    return answer;
  };

  const noteRemoved = (containerId: string): void => {
    if (settings?.mode !== "inject" || !acceptance.removed(containerId)) return;
    const isHeldAtStart = holdsAtStart(settings.runtimeName);
    if (isHeldAtStart) settings = { ...settings, mode: "direct" };
    log.error("the runtime creates no containers with an injected hook", {
      err: isHeldAtStart
        ? "using direct mode from now on: containers are held at StartContainer"
        : "the creation of containers fails",
      remedy: "check reject_oci_hook_adjustment of NRI's default validator in the runtime's configuration",
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
        noteRemoved(container.id);
        // StopContainer comes first, but the plugin may not have been connected then.
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
      hooking = new Set();
    },
    decide,
  };
}
