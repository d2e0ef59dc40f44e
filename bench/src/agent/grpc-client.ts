// SPDX-License-Identifier: Apache-2.0
import { Client, credentials } from "@grpc/grpc-js";

/** The same work as `runConnection`, done by grpc-js: what an ordinary client costs. */
export async function runGrpcConnection(
  socketPath: string,
  path: string,
  nextMessage: () => Uint8Array | undefined,
): Promise<number> {
  // Its own channel, or clients of one process would share a connection.
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  let answered = 0;
  for (let message = nextMessage(); message !== undefined; message = nextMessage()) {
    const bytes = Buffer.from(message);
    await new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (request: Buffer) => request,
        (response: Buffer) => response,
        bytes,
        (error) => (error === null ? resolve() : reject(error)),
      );
    });
    answered++;
  }
  client.close();
  return answered;
}
