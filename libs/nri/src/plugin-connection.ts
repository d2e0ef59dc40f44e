// SPDX-License-Identifier: Apache-2.0
// The plugin's end of one connection to a runtime: bytes in, bytes out. It hides the two forms of events on the wire: a
// method for each event, and StateChange.

import { grpcCode } from "@rthooks/proto/grpc-code";
import {
  ConfigureRequest,
  ConfigureResponse,
  CreateContainerResponse,
  EventRequest,
  RegisterPluginRequest,
  StateChangeEvent,
  SynchronizeResponse,
} from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import { findEventName, isEventMask, type NriEventName, toEventName } from "./event-mask.ts";
import { createFieldReader } from "./field-reader.ts";
import { createInventoryReader, type NriInventory } from "./inventory-reader.ts";
import type { RequestInfo } from "./large-request.ts";
import {
  createDemultiplexer,
  encodeFrames,
  PLUGIN_SERVICE_CONNECTION,
  RUNTIME_SERVICE_CONNECTION,
} from "./multiplexer.ts";
import type { NriAdjustment, NriConfiguration, NriContainer, NriPodSandbox } from "./nri-objects.ts";
import { createTtrpcClient } from "./ttrpc-client.ts";
import { createTtrpcReader } from "./ttrpc-frame.ts";
import { createTtrpcServer, type TtrpcCall } from "./ttrpc-server.ts";
import type { TtrpcStatus } from "./ttrpc-status.ts";

type MaybePromise<T> = T | Promise<T>;

/** The sending half of a byte stream. */
export interface NriPort {
  /** Queues the bytes and returns at once. */
  send(bytes: Uint8Array): void;
  /** Bytes that were sent but not yet accepted by the kernel. A port without this method must bound its queue itself. */
  queuedBytes?(): number;
  close(): void;
}

export interface NriCall {
  /** On the caller's clock. */
  readonly receivedAtMs: number;
  /** The runtime's deadline: after it, the runtime continues without the plugin's answer. */
  readonly deadlineAtMs: number;
}

export interface NriEvent {
  readonly name: NriEventName;
  readonly pod: NriPodSandbox;
  /** Undefined in pod events. */
  readonly container: NriContainer | undefined;
  /** Encoded sizes in bytes; 0 if absent. */
  readonly podBytes: number;
  readonly containerBytes: number;
}

/** An exception of a handler is answered with INTERNAL. */
export interface NriHandlers {
  /** Returns the mask of the subscribed events. An error ends the connection, like an error of synchronize. */
  configure(request: NriConfiguration): MaybePromise<Result<number, TtrpcStatus>>;
  /** Receives the complete inventory of pods and containers. */
  synchronize(inventory: NriInventory, call: NriCall): MaybePromise<Result<void, TtrpcStatus>>;
  /** The adjustment is used for CreateContainer only. An error denies the container, at the events where NRI allows that. */
  event(event: NriEvent, call: NriCall): MaybePromise<Result<NriAdjustment | undefined, TtrpcStatus>>;
  /** An event of more than 4 MiB was answered with this error, so that the runtime denies the container or pod. */
  tooLarge?(status: TtrpcStatus): void;
  /** The connection has ended, and its port is closed. Called once. */
  closed(reason: string): void;
}

export interface NriConnection {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
  register(name: string, index: string): Promise<Result<void, TtrpcStatus>>;
  /**
   * Ends a connection on which a message stopped in the middle for three seconds. In NRI before 0.7, Go's writer aborts a
   * message that is too large for it; only the runtime gets the error, and the connection stays unusable.
   */
  endStalled(): void;
  /** Ends the connection; also to be called when the peer has ended it. */
  close(reason: string): void;
}

const RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime";
const PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin";

/** The runtimes' default, for runtimes that do not send their request timeout (before NRI 0.7). */
const DEFAULT_REQUEST_TIMEOUT_MS = 2000;
/** Limit on unread answers. A runtime reads each answer at once, so that it has stopped reading beyond this limit. */
const MAX_QUEUED_BYTES = 16 << 20;

const STALLED_MS = 3000;

const empty = new Uint8Array();

export function openNriConnection(port: NriPort, handlers: NriHandlers, nowMs: () => number): NriConnection {
  let requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS;
  const inventory = createInventoryReader();
  let inventoryDeadlineAtMs = Number.POSITIVE_INFINITY;
  let isClosed = false;
  let receivedLastAtMs = 0;

  const toCall = ({ timeoutNanos }: RequestInfo): NriCall => {
    const receivedAtMs = nowMs();
    const leftMs = timeoutNanos > 0n ? Number(timeoutNanos) / 1e6 : requestTimeoutMs;
    return { receivedAtMs, deadlineAtMs: receivedAtMs + leftMs };
  };

  /** Runtimes since NRI 0.7 split a large synchronization into parts, which share one timeout. */
  const endSynchronize = async (info: RequestInfo): Promise<Result<Uint8Array, TtrpcStatus>> => {
    const { receivedAtMs, deadlineAtMs } = toCall(info);
    inventoryDeadlineAtMs = Math.min(inventoryDeadlineAtMs, deadlineAtMs);
    const part = inventory.endPart();
    if (!part.ok) return err({ code: grpcCode.invalidArgument, message: part.error });
    const { more } = part.value;
    if (!more) {
      const call = { receivedAtMs, deadlineAtMs: inventoryDeadlineAtMs };
      inventoryDeadlineAtMs = Number.POSITIVE_INFINITY;
      const done = await handlers.synchronize(inventory.take(), call);
      if (!done.ok) return done;
    }
    return ok(SynchronizeResponse.encode({ more }).finish());
  };

  const handleEvent = async (
    name: NriEventName | undefined,
    { pod, container }: Pick<NriEvent, "container"> & { readonly pod: NriPodSandbox | undefined },
    { podBytes, containerBytes }: Pick<NriEvent, "podBytes" | "containerBytes">,
    call: TtrpcCall,
  ): Promise<Result<Uint8Array, TtrpcStatus>> => {
    // An event of a later NRI version or without a pod: the plugin has not subscribed to it.
    if (name === undefined || pod === undefined) return ok(empty);
    const done = await handlers.event({ name, pod, container, podBytes, containerBytes }, toCall(call));
    if (!done.ok) return done;
    if (name !== "CreateContainer" || done.value === undefined) return ok(empty);
    return ok(CreateContainerResponse.encode({ adjust: done.value }).finish());
  };

  const handle = async (call: TtrpcCall): Promise<Result<Uint8Array, TtrpcStatus>> => {
    if (call.service !== PLUGIN_SERVICE) return unimplemented(`service ${call.service}`);
    switch (call.method) {
      case "Configure": {
        const request = ConfigureRequest.decode(call.payload);
        if (request.requestTimeout > 0n) requestTimeoutMs = Number(request.requestTimeout);
        const mask = await handlers.configure(request);
        if (!mask.ok) return mask;
        if (!isEventMask(mask.value)) throw new Error(`the mask ${mask.value} is not of known events`);
        return ok(ConfigureResponse.encode({ events: mask.value }).finish());
      }
      case "Synchronize":
        inventory.receive(call.payload);
        return endSynchronize(call);
      case "Shutdown":
        // No known runtime calls it. The session ends with the connection.
        return ok(empty);
      case "StateChange": {
        const { event, pod, container } = StateChangeEvent.decode(call.payload);
        const sizes = measureEvent(call.payload, STATE_CHANGE_POD);
        return handleEvent(findEventName(event), { pod, container }, sizes, call);
      }
      default: {
        const name = toEventName(call.method);
        if (name === undefined) return unimplemented(`method ${call.method}`);
        const sizes = measureEvent(call.payload, EVENT_POD);
        return handleEvent(name, EventRequest.decode(call.payload), sizes, call);
      }
    }
  };

  const close = (reason: string): void => {
    if (isClosed) return;
    isClosed = true;
    server.close();
    client.close();
    port.close();
    handlers.closed(reason);
  };

  const send = (connectionId: number, frame: Uint8Array): void => {
    port.send(encodeFrames(connectionId, frame));
    if ((port.queuedBytes?.() ?? 0) > MAX_QUEUED_BYTES)
      close("the runtime does not read the plugin's answers");
  };
  const server = createTtrpcServer({
    handle,
    openPayload: (service, method) =>
      service === PLUGIN_SERVICE && method === "Synchronize"
        ? { receive: inventory.receive, end: endSynchronize }
        : undefined,
    send: (frame) => send(PLUGIN_SERVICE_CONNECTION, frame),
    onAnswered: ({ method }, answer) => {
      if (answer.ok || (method !== "Configure" && method !== "Synchronize")) return;
      // Runtimes before NRI 0.12 keep the connection of a plugin whose synchronization failed, but send no events.
      close(`${method} failed: ${answer.error.message}`);
    },
    onTooLarge: (status) => handlers.tooLarge?.(status),
    onViolation: (reason) => close(`the runtime broke the protocol: ${reason}`),
  });
  const client = createTtrpcClient((frame) => send(RUNTIME_SERVICE_CONNECTION, frame));
  const readers = new Map([
    [PLUGIN_SERVICE_CONNECTION, createTtrpcReader(server)],
    [RUNTIME_SERVICE_CONNECTION, createTtrpcReader({ onFrame: client.receive })],
  ]);
  const demultiplexer = createDemultiplexer((id, bytes) => readers.get(id)?.receive(bytes));

  return {
    receive(bytes) {
      if (isClosed) return;
      receivedLastAtMs = nowMs();
      demultiplexer.receive(bytes);
    },
    endStalled() {
      if (nowMs() - receivedLastAtMs < STALLED_MS) return;
      if ([...readers.values()].some((reader) => reader.isInFrame()))
        close("the runtime stopped in the middle of a message");
    },
    async register(name, index) {
      const request = RegisterPluginRequest.encode({ pluginName: name, pluginIdx: index, nriVersion: "" });
      const answer = await client.call(RUNTIME_SERVICE, "RegisterPlugin", request.finish());
      return answer.ok ? ok(undefined) : answer;
    },
    close,
  };
}

// Field numbers of the pod in the two forms of an event; the container's is the next number.
const EVENT_POD = 1;
const STATE_CHANGE_POD = 2;

/** Encoded sizes in bytes of the pod and the container in an event. */
function measureEvent(request: Uint8Array, podField: number): Pick<NriEvent, "podBytes" | "containerBytes"> {
  const sizes = { podBytes: 0, containerBytes: 0 };
  const fields = createFieldReader({
    begin(field, length) {
      if (field === podField) sizes.podBytes = length;
      else if (field === podField + 1) sizes.containerBytes = length;
      return "skip";
    },
  });
  fields.receive(request);
  return sizes;
}

const unimplemented = (what: string): Result<never, TtrpcStatus> =>
  err({ code: grpcCode.unimplemented, message: `this plugin has no ${what}` });
