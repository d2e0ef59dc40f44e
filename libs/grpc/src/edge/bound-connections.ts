// SPDX-License-Identifier: Apache-2.0
// Bounds the memory that clients of a gRPC server can occupy. grpc-js collects every message in memory, up to 4 MiB for
// each stream of each connection, and can limit only the streams of one connection.

import type { Http2Server, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Server, ServerCredentials } from "@grpc/grpc-js";
import {
  type ConnectionBounds,
  createConnectionTable,
  type Evicted,
  type Eviction,
} from "../core/connection-table.ts";
import { boundHandshakes } from "./bound-handshakes.ts";

/** The method of grpc-js 1.14.7 that creates HTTP/2 servers (src/server.ts). It is private; tests detect a change. */
interface ServerInternals {
  createHttp2Server(credentials: ServerCredentials): Http2Server;
}

type Session = NonNullable<ServerHttp2Stream["session"]>;

/** `onHandshakeFailure`: a client has not come through the TLS handshake. */
export interface ConnectionListener {
  onEvicted(why: Eviction): void;
  onHandshakeFailure(reason: string): void;
}

/** Call it before the server listens. Returns a function that counts open connections. */
export function boundConnections(
  server: Server,
  bounds: ConnectionBounds,
  { onEvicted, onHandshakeFailure }: ConnectionListener,
): () => number {
  const table = createConnectionTable<Session>(bounds);
  const sockets = new WeakMap<Session, Socket>();
  let accepted: Socket | undefined;
  const end = (evicted: Evicted<Session> | undefined): void => {
    if (evicted === undefined) return;
    onEvicted(evicted.why);
    // session.close() would wait until the client has read everything and closes its side too.
    sockets.get(evicted.connection)?.destroy();
  };

  const follow = (session: Session): void => {
    if (accepted !== undefined) sockets.set(session, accepted);
    session.on("close", () => table.close(session));
    end(table.open(session));
  };

  const followStream = (stream: ServerHttp2Stream): void => {
    const { session } = stream;
    if (session === undefined) return;
    let received = 0;
    let counted = 0;
    let calls = 0;
    const count = (bytes: number): void => {
      const change = bytes - counted;
      counted = bytes;
      end(table.countBytes(session, change));
    };
    table.touch(session);
    // grpc-js has paused the stream, so this listener does not take data from its listener.
    stream.on("data", (bytes: Buffer) => {
      received += bytes.length;
      count(received + stream.writableLength);
    });
    stream.once("end", () => {
      calls = 1;
      table.countCall(session, calls);
    });
    const { write } = stream;
    // Bytes that the client does not read stay in the stream.
    stream.write = (...args: readonly unknown[]): boolean => {
      const hasRoom: boolean = Reflect.apply(write, stream, args);
      count(received + stream.writableLength);
      return hasRoom;
    };
    stream.once("close", () => {
      count(0);
      table.countCall(session, -calls);
      table.touch(session);
    });
  };

  // The cast reaches a private method of a pinned version.
  const internals = server as unknown as ServerInternals;
  const create = internals.createHttp2Server.bind(server);
  internals.createHttp2Server = (credentials) => {
    const http2Server = create(credentials);
    const isSecure = credentials._isSecure();
    if (isSecure) boundHandshakes(http2Server, onHandshakeFailure);
    // The session of a connection is created in the same turn, before the next connection.
    http2Server.prependListener(isSecure ? "secureConnection" : "connection", (socket: Socket) => {
      accepted = socket;
    });
    http2Server.on("session", follow);
    http2Server.on("stream", followStream);
    return http2Server;
  };
  return table.size;
}
