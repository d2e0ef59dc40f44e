// SPDX-License-Identifier: Apache-2.0

/** Polls until the condition gives something other than undefined or false, and returns that. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<Exclude<T, undefined | false | null>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    // The comparison narrows T, but not to the mapped type that callers want.
    if (value !== undefined && value !== false && value !== null) {
      return value as Exclude<T, undefined | false | null>;
    }
    if (performance.now() > deadline) throw new Error(`not seen within ${withinMs} ms: ${what}`);
    await Bun.sleep(2);
  }
}
