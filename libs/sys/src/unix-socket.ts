// SPDX-License-Identifier: Apache-2.0
// What is behind a unix socket in the file system: whether a program listens there, and which.

import { connect } from "node:net";
import { O_CLOEXEC, O_NONBLOCK } from "./abi.ts";
import { encodeUnixAddress } from "./bytes.ts";
import { isSocketPathTooLong } from "./socket-path.ts";
import { openSyscalls } from "./syscall.ts";

/**
 * "refused": the file is there and no program listens, as after a program that was killed. "unknown": a connection was
 * not possible for another reason (permission, full backlog, path too long), so a program may listen.
 */
export type SocketState = "listening" | "refused" | "absent" | "unknown";

/** connect(2) on a unix socket does not wait; a runtime that emulates it might. */
const TIMEOUT_MS = 1000;

/** Makes one connection and closes it. */
export function probeSocket(path: string): Promise<SocketState> {
  if (isSocketPathTooLong(path)) return Promise.resolve("unknown");
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (state: SocketState): void => {
      socket.destroy();
      resolve(state);
    };
    socket.setTimeout(TIMEOUT_MS, () => end("unknown"));
    socket.once("connect", () => end("listening"));
    socket.once("error", (error) => end(toState("code" in error ? error.code : "")));
  });
}

function toState(code: unknown): SocketState {
  if (code === "ECONNREFUSED" || code === "ENOTSOCK") return "refused";
  return code === "ENOENT" ? "absent" : "unknown";
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** sizeof(struct ucred): pid, uid, gid. */
const CREDENTIAL_BYTES = 12;

/**
 * The process that called listen(2) (SO_PEERCRED of unix(7)). /proc/net/unix has a socket under the path it was bound
 * to, which is another one after a rename. Undefined where no program listens or foreign calls are refused.
 */
export function findListenerPid(path: string): number | undefined {
  const address = encodeUnixAddress(path);
  if (address === undefined) return undefined;
  try {
    const sys = openSyscalls();
    const socket = sys.call("socket", path, AF_UNIX, SOCK_STREAM | O_NONBLOCK | O_CLOEXEC, 0);
    if (!socket.ok) return undefined;
    try {
      if (!sys.call("connect", path, socket.value, address, address.length).ok) return undefined;
      const credentials = new Uint8Array(CREDENTIAL_BYTES);
      const length = new Uint8Array(Uint32Array.of(CREDENTIAL_BYTES).buffer);
      const at = sys.pointerTo(length);
      const read = sys.call("getsockopt", path, socket.value, SOL_SOCKET, SO_PEERCRED, credentials, at);
      return read.ok ? new DataView(credentials.buffer).getInt32(0, true) : undefined;
    } finally {
      sys.call("close", path, socket.value);
    }
  } catch {
    return undefined;
  }
}
