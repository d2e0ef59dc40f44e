// SPDX-License-Identifier: Apache-2.0
// Pure: the checks of flags and addresses in core/ may import it.

/** Of UTF-8: sun_path of unix(7) has 108 bytes, and the last one is the terminating NUL. */
export const MAX_SOCKET_PATH_BYTES = 107;

export const countSocketPathBytes = (path: string): number => new TextEncoder().encode(path).length;

/** For a path that the kernel cannot bind or connect to, whatever is there. */
export function isSocketPathTooLong(path: string): boolean {
  return countSocketPathBytes(path) > MAX_SOCKET_PATH_BYTES;
}
