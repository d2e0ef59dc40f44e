// SPDX-License-Identifier: Apache-2.0
// Methods of ts-proto's framework-neutral service definitions on a grpc-js server and client.

import { type Client, Metadata, type ServerWritableStream, type ServiceError } from "@grpc/grpc-js";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Registrar } from "./serve-reads-only.ts";

interface Message<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface UnaryMethod<Request, Response> {
  readonly name: string;
  readonly requestType: Message<Request>;
  readonly responseType: Message<Response>;
}

export interface WireError {
  readonly code: GrpcCode;
  /** The message that the client gets. */
  readonly details: string;
}

interface CallInfo {
  readonly metadata: Metadata;
  /** When the client stops waiting: Unix time in milliseconds, or Infinity. */
  readonly deadlineMs: number;
}

/** Answers once. An exception becomes INTERNAL at the client. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  answer: (result: Result<Response, WireError>) => void,
  call: CallInfo,
) => void;

export function registerUnary<Request, Response>(
  server: Registrar,
  service: { readonly fullName: string },
  method: UnaryMethod<Request, Response>,
  handler: UnaryHandler<Request, Response>,
  onBug: (error: unknown) => void,
): void {
  server.register<Result<Request, string>, Response>(
    toPath(service, method),
    // grpc-js accepts any kind of handler here; with "unary" below it calls this one with two arguments.
    (
      call: {
        readonly request: Result<Request, string>;
        readonly metadata: Metadata;
        getDeadline(): Date | number;
      },
      callback: (error: WireError | null, response?: Response) => void,
    ) => {
      const answer = (result: Result<Response, WireError>): void =>
        result.ok ? callback(null, result.value) : callback(result.error);
      const { request } = call;
      if (!request.ok) {
        answer(err({ code: grpcCode.invalidArgument, details: `${method.name}: ${request.error}` }));
        return;
      }
      try {
        handler(request.value, answer, { metadata: call.metadata, deadlineMs: Number(call.getDeadline()) });
      } catch (error) {
        onBug(error);
        answer(err({ code: grpcCode.internal, details: `${method.name}: ${describeError(error)}` }));
      }
    },
    (response) => toBuffer(method.responseType.encode(response).finish()),
    (bytes) => decode(method.requestType, bytes),
    "unary",
  );
}

/** Answers with the outcome; an exception becomes INTERNAL at the client. */
export function answerWhenDone<Response>(
  pending: Promise<Result<Response, WireError>>,
  answer: (result: Result<Response, WireError>) => void,
  onBug: (error: unknown) => void,
): void {
  pending.then(answer).catch((error: unknown) => {
    onBug(error);
    answer(err({ code: grpcCode.internal, details: describeError(error) }));
  });
}

/** The responses of one call that has many. */
export interface ResponseStream<Response> {
  /** False: the client has not read the earlier ones yet. Write again when `onReady` was called. */
  write(response: Response): boolean;
  end(error: WireError): void;
}

interface StreamListener {
  onReady(): void;
  /** The client cancelled the call, or its connection is closed. Not called after `end`. */
  onClose(): void;
}

/** Returns undefined where it has ended the stream. */
export type StreamHandler<Request, Response> = (
  request: Request,
  stream: ResponseStream<Response>,
) => StreamListener | undefined;

export function registerServerStream<Request, Response>(
  server: Registrar,
  service: { readonly fullName: string },
  method: UnaryMethod<Request, Response>,
  handler: StreamHandler<Request, Response>,
  onBug: (error: unknown) => void,
): void {
  server.register<Result<Request, string>, Response>(
    toPath(service, method),
    // With "serverStream" below, grpc-js calls this handler with one argument.
    (call: ServerWritableStream<Result<Request, string>, Response>) => {
      let hasEnded = false;
      const end = ({ code, details }: WireError): void => {
        if (hasEnded) return;
        hasEnded = true;
        // grpc-js takes the status from this event, and sends it after what was written.
        call.emit("error", { code, details });
      };
      const { request } = call;
      if (!request.ok) {
        end({ code: grpcCode.invalidArgument, details: `${method.name}: ${request.error}` });
        return;
      }
      try {
        const listener = handler(request.value, { write: (response) => call.write(response), end });
        if (listener === undefined) return;
        // The client gets the headers before there is a first response: the call is served.
        call.sendMetadata(new Metadata());
        call.on("drain", listener.onReady);
        call.on("cancelled", () => {
          if (hasEnded) return;
          hasEnded = true;
          listener.onClose();
        });
      } catch (error) {
        onBug(error);
        end({ code: grpcCode.internal, details: `${method.name}: ${describeError(error)}` });
      }
    },
    (response) => toBuffer(method.responseType.encode(response).finish()),
    (bytes) => decode(method.requestType, bytes),
    "serverStream",
  );
}

export function callUnary<Request, Response>(
  client: Client,
  service: { readonly fullName: string },
  method: UnaryMethod<Request, Response>,
  request: Request,
  deadline: Date,
  metadata = new Metadata(),
): Promise<Result<Response, ServiceError>> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      toPath(service, method),
      (message: Request) => toBuffer(method.requestType.encode(message).finish()),
      (bytes) => method.responseType.decode(bytes),
      request,
      metadata,
      { deadline },
      (error, response) => {
        if (error !== null) resolve(err(error));
        // grpc-js passes either an error or a response.
        else if (response !== undefined) resolve(ok(response));
      },
    );
  });
}

function toPath(service: { readonly fullName: string }, method: { readonly name: string }): string {
  return `/${service.fullName}/${method.name}`;
}

function decode<T>(type: Message<T>, bytes: Uint8Array): Result<T, string> {
  try {
    return ok(type.decode(bytes));
  } catch (error) {
    return err(`the request is not a valid protobuf message: ${describeError(error)}`);
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
