// SPDX-License-Identifier: Apache-2.0
// The agent of the contract for agent links: a grpc-js server. It runs as a process of its own, since one of the links
// blocks its thread while it waits. Its argument is where to listen: unix:///path or host:port. It prints that once it
// listens, with the port that was taken, and ends with its standard input.

import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";

type Call = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

/** The answer of Describe, as JSON. */
export interface CallDescription {
  readonly messageBytes: number;
  /** The message as Bun.hash sees it, in hexadecimal. */
  readonly messageHash: string;
  readonly userAgent: string;
  readonly trusted: readonly string[];
  /** Unix time in milliseconds; null (Infinity in JSON) where the call has none. */
  readonly deadlineMs: number | null;
}

let canceled = 0;
const keep = (bytes: Buffer): Buffer => bytes;
const toBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const describe = (call: Call): CallDescription => ({
  messageBytes: call.request.length,
  messageHash: Bun.hash(call.request).toString(16),
  userAgent: call.metadata.get("user-agent").join(),
  trusted: call.metadata.get(TRUSTED_HEADER).map(String),
  deadlineMs: Number(call.getDeadline()),
});

const methods: Readonly<Record<string, (call: Call, answer: Answer) => void>> = {
  Describe: (call, answer) => answer(null, toBytes(describe(call))),
  Refuse: (_call, answer) => answer({ code: grpcCode.failedPrecondition, details: "not this one: é" }),
  Unavailable: (_call, answer) => answer({ code: grpcCode.unavailable, details: "the agent stops" }),
  /** Never answers. */
  Silent: (call) => call.on("cancelled", () => canceled++),
  CountCanceled: (_call, answer) => answer(null, toBytes(canceled)),
  Die: () => process.exit(0),
};

const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
for (const [name, handle] of Object.entries(methods)) {
  server.register(`/contract.Agent/${name}`, handle, keep, keep, "unary");
}
const [target = ""] = process.argv.slice(2);
server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${target.replace(/:0$/, `:${port}`)}\n`);
});
for await (const _ of Bun.stdin.stream());
process.exit(0);
