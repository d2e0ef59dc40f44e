// SPDX-License-Identifier: Apache-2.0

import { openSyscalls } from "@rthooks/sys/syscall";

export interface BootClock {
  /** Since the boot, with the time in which the machine was suspended: bpf_ktime_get_boot_ns(). */
  nowNs(): bigint;
  /** Unix time of the boot: it changes when the clock of the machine is set. */
  bootTimeNs(): bigint;
}

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

/** Throws without FFI. */
export function openBootClock(): BootClock {
  const sys = openSyscalls();
  const time = new BigInt64Array(2);
  const bytes = new Uint8Array(time.buffer);
  const read = (clock: number): bigint => {
    sys.call("clockGettime", "", clock, bytes);
    return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
  };
  return {
    nowNs: () => read(CLOCK_BOOTTIME),
    bootTimeNs: () => read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME),
  };
}
