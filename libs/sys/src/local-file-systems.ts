// SPDX-License-Identifier: Apache-2.0

import { statfs } from "node:fs/promises";

/** include/uapi/linux/magic.h, and of those outside the kernel their own headers. */
const local: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlay
  0x73717368, // squashfs
  0xe0f5e1e2, // erofs
  0x9660, // iso9660
  0x4d44, // vfat
]);

/**
 * Whether all changes of files there raise inotify events and a lookup does not wait for another machine or process.
 * False where it cannot be said. Does not block the event loop.
 */
export async function isOnLocalFileSystem(path: string): Promise<boolean> {
  try {
    const { type } = await statfs(path);
    // Magic numbers are 32 bits, which some kernels extend by their sign.
    return local.has(type >>> 0);
  } catch {
    return false;
  }
}
