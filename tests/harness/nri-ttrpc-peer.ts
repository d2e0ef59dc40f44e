// SPDX-License-Identifier: Apache-2.0
// ttrpc as the runtime speaks it on both connections of one plugin.
import { decodeMessage, encodeMessage } from "./nri-messages.ts";
import {
  createGoReader,
  createMuxReader,
  PLUGIN_SERVICE,
  RUNTIME_SERVICE,
  toGoFrames,
  toTtrpcMessage,
  type WireMessage,
} from "./nri-wire.ts";

/** A byte stream to a plugin. */
export interface Trunk {
  send(bytes: Uint8Array): void;
  close(): void;
}

export type CallOutcome =
  | { readonly kind: "answered"; readonly payload: Uint8Array }
  | { readonly kind: "refused"; readonly code: number; readonly message: string }
  | { readonly kind: "timed-out" }
  | { readonly kind: "lost"; readonly reason: string };

export interface TtrpcPeer {
  receive(bytes: Uint8Array): void;
  call(method: string, payload: Uint8Array, timeoutMs: number): Promise<CallOutcome>;
  /** Sends whatever the test wants. */
  sendRaw(bytes: Uint8Array): void;
  /** Every answer of the plugin, in order, also those that nobody waited for. */
  readonly answers: readonly WireMessage[];
  closedBecause(): string | undefined;
  close(reason: string): void;
}

interface PeerOptions {
  readonly trunk: Trunk;
  /** A call of the plugin's to the Runtime service; gives the status code and message, 0 for OK. */
  onCall(method: string, payload: Uint8Array): { readonly code: number; readonly message: string };
  onClose(reason: string): void;
}

interface TtrpcAnswer {
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly payload?: Uint8Array;
}
interface TtrpcRequest {
  readonly service?: string;
  readonly method?: string;
  readonly payload?: Uint8Array;
}

export function openTtrpcPeer({ trunk, onCall, onClose }: PeerOptions): TtrpcPeer {
  const waiting = new Map<number, (outcome: CallOutcome) => void>();
  const answers: WireMessage[] = [];
  let nextStreamId = 1;
  let lastPluginStreamId = 0;
  let closedBecause: string | undefined;

  const close = (reason: string): void => {
    if (closedBecause !== undefined) return;
    closedBecause = reason;
    trunk.close();
    for (const settle of [...waiting.values()]) settle({ kind: "lost", reason });
    onClose(reason);
  };

  const onAnswer = (message: WireMessage): void => {
    answers.push(message);
    if (message.type !== 2) {
      close(`the plugin sent type ${message.type} where answers are`);
      return;
    }
    const settle = waiting.get(message.streamId);
    if (settle === undefined) return;
    // The names are those of the message's definition.
    const { status, payload } = decodeMessage("ttrpc.Response", message.body) as TtrpcAnswer;
    const code = status?.code ?? 0;
    if (code === 0) settle({ kind: "answered", payload: payload ?? new Uint8Array() });
    else settle({ kind: "refused", code, message: status?.message ?? "" });
  };

  const onRequest = ({ streamId, type, body }: WireMessage): void => {
    if (type !== 1) {
      close(`the plugin sent type ${type} where requests are`);
      return;
    }
    const isNew = streamId % 2 === 1 && streamId > lastPluginStreamId;
    lastPluginStreamId = Math.max(lastPluginStreamId, streamId);
    const { service, method, payload } = decodeMessage("ttrpc.Request", body) as TtrpcRequest; // as above
    const status = !isNew
      ? { code: 3, message: "the stream id is not a new odd one" }
      : service === "nri.pkg.api.v1alpha1.Runtime"
        ? onCall(method ?? "", payload ?? new Uint8Array())
        : { code: 12, message: `no service ${service}` };
    // An empty answer has no body at all, seen with RegisterPlugin.
    const answer =
      status.code === 0 ? Buffer.alloc(0) : encodeMessage("ttrpc.Response", { status: { ...status } });
    trunk.send(toGoFrames(RUNTIME_SERVICE, toTtrpcMessage({ streamId, type: 2, body: answer })));
  };

  const events = {
    onOversize: (streamId: number) =>
      waiting.get(streamId)?.({ kind: "refused", code: 8, message: "message length exceeds 4194304" }),
    onNoMemory: (bytes: number) => close(`ENOMEM: a frame of ${bytes} bytes`),
  };
  const readers = new Map([
    [PLUGIN_SERVICE, createGoReader({ ...events, onMessage: onAnswer })],
    [RUNTIME_SERVICE, createGoReader({ ...events, onMessage: onRequest })],
  ]);

  return {
    answers,
    receive: createMuxReader((connection, payload) => readers.get(connection)?.(payload)),
    call: (method, payload, timeoutMs) =>
      new Promise((resolve) => {
        const streamId = nextStreamId;
        nextStreamId += 2;
        const settle = (outcome: CallOutcome): void => {
          clearTimeout(timer);
          if (!waiting.delete(streamId)) return;
          resolve(outcome);
        };
        // An answer that has arrived by then counts, however late this process comes to read it.
        const timer = setTimeout(() => setImmediate(settle, { kind: "timed-out" }), timeoutMs);
        waiting.set(streamId, settle);
        if (closedBecause !== undefined) return settle({ kind: "lost", reason: closedBecause });
        const body = encodeMessage("ttrpc.Request", {
          service: "nri.pkg.api.v1alpha1.Plugin",
          method,
          payload,
          timeoutNano: timeoutMs * 1e6,
          metadata: [{ key: "containerd-namespace-ttrpc", value: "k8s.io" }],
        });
        trunk.send(toGoFrames(PLUGIN_SERVICE, toTtrpcMessage({ streamId, type: 1, body })));
      }),
    sendRaw: (bytes) => trunk.send(bytes),
    closedBecause: () => closedBecause,
    close,
  };
}
