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
  const clock = openClocks();
  return createBootClock(
    () => clock(CLOCK_BOOTTIME),
    () => clock(CLOCK_REALTIME),
  );
}

/** `readBoot`, `readReal`: in nanoseconds. */
export function createBootClock(readBoot: () => bigint, readReal: () => bigint): BootClock {
  let last: bigint | undefined;
  return {
    nowNs: readBoot,
    bootTimeNs() {
      const before = readBoot();
      const real = readReal();
      const after = readBoot();
      // The thread may wait between two readings. The last answer stays, if it still can be true: times of events do not jitter.
      if (last === undefined || last < real - after || last > real - before) last = real - after;
      return last;
    },
  };
}

function openClocks(): (clock: number) => bigint {
  const sys = openSyscalls();
  const time = new BigInt64Array(2);
  const bytes = new Uint8Array(time.buffer);
  return (clock) => {
    sys.call("clockGettime", "", clock, bytes);
    return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
  };
}
