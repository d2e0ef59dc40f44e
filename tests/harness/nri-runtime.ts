// SPDX-License-Identifier: Apache-2.0
// A container runtime, as an NRI plugin sees one: for the versions that cannot be installed here. It follows
// containerd/nri pkg/adaptation: what ends a session, what counts as a success, how an event is delivered.
import { decodeMessage, encodeMessage, type NriFields } from "./nri-messages.ts";
import { type CallOutcome, openTtrpcPeer, type Trunk, type TtrpcPeer } from "./nri-ttrpc-peer.ts";
import {
  type EventName,
  eventNames,
  findBehaviour,
  isMethodOfEveryVersion,
  type NriVersion,
} from "./nri-versions.ts";

export interface NriRuntimeOptions {
  readonly version: NriVersion;
  readonly runtimeName?: "containerd" | "cri-o";
  readonly runtimeVersion?: string;
  readonly registrationTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** What runs when a plugin comes. */
  readonly pods?: readonly NriFields[];
  readonly containers?: readonly NriFields[];
  /** Containers in a part of the synchronization, where the version cuts it. */
  readonly containersInPart?: number;
  /** Configure is sent before the registration is answered, as containerd is seen to do. */
  readonly isConfiguredFirst?: boolean;
}

interface EventAnswer {
  /** What the container's caller sees: an event that timed out, or whose plugin is lost, counts as a success. */
  readonly outcome: CallOutcome["kind"] | "not-subscribed";
  readonly code: number;
  readonly message: string;
  readonly adjust: NriFields | undefined;
  /** The method called, the last one if there were two. */
  readonly method: string;
  readonly elapsedMs: number;
}

/** The runtime's side of one connection to a plugin. */
export interface RuntimeSide {
  readonly peer: TtrpcPeer;
  readonly name: string;
  readonly index: string;
  readonly mask: number;
  /** Settles when it is synchronized, or with the reason why it never will be. */
  readonly ready: Promise<"ready" | { readonly failure: string }>;
  sendEvent(event: EventName, pod: NriFields, container?: NriFields): Promise<EventAnswer>;
  /** A StateChange with any number. */
  sendStateChange(event: number, pod: NriFields, container?: NriFields): Promise<CallOutcome>;
}

/** Acts as the runtime for the plugin at the other end of the trunk. */
export function openRuntimeSide(trunk: Trunk, options: NriRuntimeOptions): RuntimeSide {
  const behaviour = findBehaviour(options.version);
  const requestTimeoutMs = options.requestTimeoutMs ?? 2000;
  const registrationTimeoutMs = options.registrationTimeoutMs ?? 5000;
  const settled = Promise.withResolvers<"ready" | { readonly failure: string }>();
  let [name, index, mask] = ["", "", 0];
  let isReady = false;
  let usesStateChange = !behaviour.hasOwnMethods;
  let isRegistered = false;

  const fail = (reason: string): void => {
    settled.resolve({ failure: reason });
    peer.close(reason);
  };
  const peer = openTtrpcPeer({
    trunk,
    // Later, so that what the plugin answered before its end counts.
    onClose: (reason) => void setImmediate(() => settled.resolve({ failure: reason })),
    onCall(method, payload) {
      if (method !== "RegisterPlugin") return { code: 12, message: `no method ${method}` };
      // The names are those of the message's definition.
      const request = decodeMessage("RegisterPluginRequest", payload) as {
        pluginName?: string;
        pluginIdx?: string;
      };
      name = request.pluginName ?? "";
      index = request.pluginIdx ?? "";
      // A runtime leaves the connection of a badly named plugin open, and never goes on.
      if (!behaviour.namePattern.test(name)) return { code: 2, message: `invalid plugin name "${name}"` };
      if (!/^[0-9]{2}$/.test(index)) return { code: 2, message: `invalid plugin index "${index}"` };
      isRegistered = true;
      clearTimeout(registration);
      if (options.isConfiguredFirst) void configure();
      else queueMicrotask(() => void configure());
      return { code: 0, message: "" };
    },
  });
  const registration = setTimeout(() => {
    if (!isRegistered) fail("plugin registration timeout");
  }, registrationTimeoutMs);
  void settled.promise.then(() => clearTimeout(registration));

  async function configure(): Promise<void> {
    const request = {
      runtimeName: options.runtimeName ?? "containerd",
      runtimeVersion: options.runtimeVersion ?? `for NRI ${options.version}`,
      ...(behaviour.tellsTimeouts
        ? { registrationTimeout: registrationTimeoutMs, requestTimeout: requestTimeoutMs }
        : {}),
      ...(behaviour.tellsVersion ? { nriVersion: `v${options.version}.0` } : {}),
    };
    const answer = await peer.call("Configure", encodeMessage("ConfigureRequest", request), requestTimeoutMs);
    if (answer.kind !== "answered") return fail(`failed to configure: ${describe(answer)}`);
    const { events } = decodeMessage("ConfigureResponse", answer.payload) as { events?: number }; // as above
    mask = events ?? 0;
    if ((mask & ~behaviour.validMask) !== 0) return fail(`invalid plugin events ${mask}`);
    if (mask === 0) mask = behaviour.validMask;
    await synchronize();
  }

  async function synchronize(): Promise<void> {
    const { pods = [], containers = [] } = options;
    const size = behaviour.splitsSynchronize
      ? (options.containersInPart ?? containers.length)
      : containers.length;
    const endsAtMs = performance.now() + requestTimeoutMs;
    let [sent, isFirst] = [0, true];
    do {
      const part = containers.slice(sent, sent + size);
      sent += part.length;
      const more = sent < containers.length;
      const request = { pods: isFirst ? pods : [], containers: part, more };
      isFirst = false;
      const answer = await peer.call(
        "Synchronize",
        encodeMessage("SynchronizeRequest", request),
        Math.max(1, endsAtMs - performance.now()),
      );
      if (answer.kind !== "answered") {
        const reason = `failed to synchronize: ${describe(answer)}`;
        if (behaviour.closesAfterFailedSynchronize) return fail(reason);
        return settled.resolve({ failure: reason });
      }
      const reply = decodeMessage("SynchronizeResponse", answer.payload) as { more?: boolean }; // as above
      if (more !== (reply.more ?? false))
        return fail("the plugin did not take the parts of the synchronization");
    } while (sent < containers.length);
    isReady = true;
    settled.resolve("ready");
  }

  const sendStateChange = (event: number, pod: NriFields, container?: NriFields): Promise<CallOutcome> =>
    peer.call("StateChange", encodeMessage("StateChangeEvent", { event, pod, container }), requestTimeoutMs);

  return {
    peer,
    get name() {
      return name;
    },
    get index() {
      return index;
    },
    get mask() {
      return mask;
    },
    ready: settled.promise,
    sendStateChange,
    async sendEvent(event, pod, container) {
      const startedMs = performance.now();
      const number = eventNames.indexOf(event) + 1;
      const isSubscribed = isReady && (mask & (1 << (number - 1))) !== 0;
      let method = usesStateChange && !isMethodOfEveryVersion(event) ? "StateChange" : event;
      let outcome: CallOutcome | undefined;
      if (isSubscribed && method !== "StateChange") {
        outcome = await peer.call(event, encodeMessage("EventRequest", { pod, container }), requestTimeoutMs);
        const isUnknown = outcome.kind === "refused" && outcome.code === 12;
        if (isUnknown && behaviour.hasOwnMethods) {
          usesStateChange = true;
          method = "StateChange";
          outcome = undefined;
        }
      }
      if (isSubscribed) outcome ??= await sendStateChange(number, pod, container);
      if (outcome?.kind === "timed-out") peer.close(`${event} timed out`);
      const reply = outcome?.kind === "answered" && event === "CreateContainer" ? outcome.payload : undefined;
      return {
        outcome: outcome?.kind ?? "not-subscribed",
        code: outcome?.kind === "refused" ? outcome.code : 0,
        message: outcome?.kind === "refused" ? outcome.message : "",
        adjust: reply === undefined ? undefined : decodeAdjustment(reply),
        method,
        elapsedMs: performance.now() - startedMs,
      };
    },
  };
}

function decodeAdjustment(reply: Uint8Array): NriFields | undefined {
  // The name is that of the message's definition.
  return (decodeMessage("CreateContainerResponse", reply) as { readonly adjust?: NriFields }).adjust;
}

function describe(outcome: CallOutcome): string {
  if (outcome.kind === "refused") return `code ${outcome.code}: ${outcome.message}`;
  return outcome.kind === "lost" ? outcome.reason : outcome.kind;
}
