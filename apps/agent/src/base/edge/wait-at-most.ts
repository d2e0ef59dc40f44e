// SPDX-License-Identifier: Apache-2.0

/** Waits for the work, but not longer than the given time. The work itself continues. */
export async function waitAtMost(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
