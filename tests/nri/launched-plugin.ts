// SPDX-License-Identifier: Apache-2.0
// A plugin as the runtime launches it; a program of socket.test.ts.
import { read, writeSync } from "node:fs";
import { openNriConnection } from "@rthooks/nri";
import { allEvents, ok } from "./memory-plugin.ts";

const FD = 3;
const connection = openNriConnection(
  {
    send(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(FD, bytes, at);
    },
    close: () => process.exit(0),
  },
  {
    configure: () => ok(allEvents),
    synchronize: () => ok(undefined),
    event: () => ok(undefined),
    closed: () => undefined,
  },
  () => performance.now(),
);
const buffer = Buffer.alloc(65536);
const readOn = (): void =>
  read(FD, buffer, 0, buffer.length, null, (error, count) => {
    // Bun makes both ends of a pipe of its own non-blocking.
    if (error?.code === "EAGAIN") {
      setTimeout(readOn, 1);
    } else if (error !== null || count === 0) {
      connection.close("the runtime closed the connection");
    } else {
      connection.receive(buffer.subarray(0, count));
      readOn();
    }
  });
readOn();
await connection.register("launched", "10");
