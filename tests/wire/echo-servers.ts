// SPDX-License-Identifier: Apache-2.0
// The same small service on two independent gRPC implementations: @grpc/grpc-js here, and gRPC's C core in
// c-core-server.py, which says what the methods do.
import { join } from "node:path";
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";

export interface EchoServer {
  readonly socketPath: string;
  /** Resolves when a Linger call is in the handler. */
  readonly lingering: Promise<void>;
  /** Refuses new calls, tells the clients so with GOAWAY, and waits for the present ones. */
  beginStop(): void;
  release(): void;
  /** As a crash would. */
  kill(): Promise<void>;
}

type Bytes = handleUnaryCall<Buffer, Buffer>;

export async function startGrpcJsServer(directory: string): Promise<EchoServer> {
  const socketPath = join(directory, "grpc-js.sock");
  const lingering = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const echo: Bytes = (call, answer) => answer(null, call.request);
  const size: Bytes = (call, answer) => answer(null, Buffer.alloc(Number(call.request), "x"));
  const fail: Bytes = (call, answer) => {
    const [code, ...message] = call.request.toString().split(" ");
    answer({ code: Number(code), details: message.join(" ") }, null);
  };
  const slow: Bytes = () => {};
  const linger: Bytes = (call, answer) => {
    lingering.resolve();
    released.promise.then(
      () => answer(null, call.request),
      () => {},
    );
  };
  const methods = { Echo: echo, Size: size, Fail: fail, Slow: slow, Linger: linger };
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(describeService(Object.keys(methods)), methods);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    socketPath,
    lingering: lingering.promise,
    beginStop: () => server.tryShutdown(() => {}),
    release: () => released.resolve(),
    kill: () => Promise.resolve(server.forceShutdown()),
  };
}

export async function startCCoreServer(directory: string): Promise<EchoServer> {
  const socketPath = join(directory, "c-core.sock");
  const child = Bun.spawn(["/usr/bin/python3", join(import.meta.dir, "c-core-server.py"), socketPath], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    env: {},
  });
  const ready = Promise.withResolvers<void>();
  const lingering = Promise.withResolvers<void>();
  // A server that is never asked to linger leaves that promise alone.
  lingering.promise.catch(() => {});
  const watched = (async () => {
    let text = "";
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("ready")) {
        ready.resolve();
      }
      if (text.includes("lingering")) {
        lingering.resolve();
      }
    }
    ready.reject(new Error("the C core server ended"));
    lingering.reject(new Error("the C core server ended"));
  })();
  const command = (): void => {
    child.stdin.write("\n");
    child.stdin.flush();
  };
  await ready.promise;
  return {
    socketPath,
    lingering: lingering.promise,
    beginStop: command,
    release: command,
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      await watched;
    },
  };
}

function describeService(names: readonly string[]): ServiceDefinition {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        path: `/wire.Echo/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}
