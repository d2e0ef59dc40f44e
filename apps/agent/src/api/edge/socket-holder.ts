// SPDX-License-Identifier: Apache-2.0
// Who listens on a unix socket. /proc/net/unix knows a socket by the path it was bound to, which is another
// one after a rename; the kernel tells it to whoever connects (SO_PEERCRED, unix(7)).

import { dlopen, FFIType, ptr } from "bun:ffi";
import { describeProcess } from "../../base/edge/describe-process.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** offsetof(struct sockaddr_un, sun_path) */
const familyBytes = 2;
/** sizeof(struct ucred): pid, uid, gid. */
const credentialBytes = 12;

/** For people: "process 123 (tetragon --server-address …)". */
export const findSocketHolder = (path: string): string => describeProcess(findPeerPid(path));

function findPeerPid(path: string): number | undefined {
  try {
    const { symbols, close: unload } = dlopen("libc.so.6", {
      socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
      connect: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
      getsockopt: {
        args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
        returns: FFIType.i32,
      },
      close: { args: [FFIType.i32], returns: FFIType.i32 },
    });
    const fd = symbols.socket(AF_UNIX, SOCK_STREAM, 0);
    try {
      const name = new TextEncoder().encode(path);
      const address = new Uint8Array(familyBytes + name.length + 1);
      new DataView(address.buffer).setUint16(0, AF_UNIX, true);
      address.set(name, familyBytes);
      if (symbols.connect(fd, ptr(address), address.length) !== 0) return undefined;
      const credentials = new Int32Array(credentialBytes / Int32Array.BYTES_PER_ELEMENT);
      const length = new Uint32Array([credentialBytes]);
      const failed = symbols.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(length)) !== 0;
      return failed ? undefined : credentials[0];
    } finally {
      if (fd >= 0) symbols.close(fd);
      unload();
    }
  } catch {
    // Where FFI is refused the error message is only poorer.
    return undefined;
  }
}
