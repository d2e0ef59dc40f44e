// SPDX-License-Identifier: Apache-2.0
// The plugin's end of one connection to a runtime: bytes in, bytes out. Both generations of the wire come out alike:
// events that have a method of their own, and those that are told as StateChange.

import { grpcCode } from "@rthooks/proto/grpc-code";
import {
  ConfigureRequest,
  ConfigureResponse,
  type Container,
  type ContainerAdjustment,
  CreateContainerResponse,
  EventRequest,
  type PodSandbox,
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
import { createTtrpcClient } from "./ttrpc-client.ts";
import { createTtrpcReader } from "./ttrpc-frame.ts";
import { createTtrpcServer, type TtrpcCall } from "./ttrpc-server.ts";
import type { TtrpcStatus } from "./ttrpc-status.ts";

type MaybePromise<T> = T | Promise<T>;

/** A byte stream, as far as it is written to. */
export interface NriPort {
  /** Queues the bytes and returns at once. */
  send(bytes: Uint8Array): void;
  /** Bytes that were sent and that the kernel has not taken. A port that does not tell has to bound its queue. */
  queuedBytes?(): number;
  close(): void;
}

export interface NriCall {
  /** On the caller's clock. */
  readonly receivedAtMs: number;
  /** When the runtime waits no longer: then it goes on as if there were no plugin. */
  readonly deadlineAtMs: number;
}

export interface NriEvent {
  readonly name: NriEventName;
  readonly pod: PodSandbox;
  /** Absent in events of pods. */
  readonly container: Container | undefined;
  /** Encoded size of both in bytes, as far as they are there. */
  readonly podBytes: number;
  readonly containerBytes: number;
}

/** What a handler throws is the runtime's INTERNAL. */
export interface NriHandlers {
  /** Gives the mask of the events that are wanted. An error ends the connection, and so does one of synchronize. */
  configure(request: ConfigureRequest): MaybePromise<Result<number, TtrpcStatus>>;
  /** Everything that runs, whole. */
  synchronize(inventory: NriInventory, call: NriCall): MaybePromise<Result<void, TtrpcStatus>>;
  /** The adjustment counts for CreateContainer alone. An error keeps the container from starting where NRI says so. */
  event(
    event: NriEvent,
    call: NriCall,
  ): MaybePromise<Result<Partial<ContainerAdjustment> | undefined, TtrpcStatus>>;
  /** An event of more than 4 MiB was refused: the runtime does not start the container. */
  tooLarge?(status: TtrpcStatus): void;
  /** The connection is of no more use, and its port is closed. Told once. */
  closed(reason: string): void;
}

export interface NriConnection {
  /** Valid during the call. */
  receive(bytes: Uint8Array): void;
  register(name: string, index: string): Promise<Result<void, TtrpcStatus>>;
  /**
   * Ends a connection on which a message began and has not gone on for three seconds: Go's writer gives up a message that
   * is too large for it in the middle, says so to the runtime alone, and can write nothing more (NRI before 0.7).
   */
  endStalled(): void;
  /** Ends the connection from this side; also for when the other has ended it. */
  close(reason: string): void;
}

const RUNTIME_SERVICE = "nri.pkg.api.v1alpha1.Runtime";
const PLUGIN_SERVICE = "nri.pkg.api.v1alpha1.Plugin";

/** Go's default of the runtimes, for those that do not tell theirs (before NRI 0.7). */
const DEFAULT_REQUEST_TIMEOUT_MS = 2000;
/** Answers that a runtime leaves unread. It reads them at once, so that this many are for nobody. */
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

  /** Runtimes since NRI 0.7 cut what would be larger than a message: all parts have one time limit together. */
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
    { pod, container }: Pick<NriEvent, "container"> & { readonly pod: PodSandbox | undefined },
    { podBytes, containerBytes }: Pick<NriEvent, "podBytes" | "containerBytes">,
    call: TtrpcCall,
  ): Promise<Result<Uint8Array, TtrpcStatus>> => {
    // Of a version that did not exist when this was written, or without a pod: nothing that this plugin asked for.
    if (name === undefined || pod === undefined) return ok(empty);
    const done = await handlers.event({ name, pod, container, podBytes, containerBytes }, toCall(call));
    if (!done.ok) return done;
    if (name !== "CreateContainer" || done.value === undefined) return ok(empty);
    return ok(CreateContainerResponse.encode({ adjust: { hooks: undefined, ...done.value } }).finish());
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
        // No runtime has been seen to call it; the end of the connection is what counts.
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
      close("the runtime does not read what it is answered");
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
      // Runtimes before NRI 0.12 keep a plugin whose synchronization failed, and never send it an event.
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

// The field of the pod in both forms of an event's request; the container's is the next one.
const EVENT_POD = 1;
const STATE_CHANGE_POD = 2;

/** Encoded size in bytes of the pod and the container in an event's request. */
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
