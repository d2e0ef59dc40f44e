// SPDX-License-Identifier: Apache-2.0

/** Returns a function to call with each part that is done; `onAll` is called when all parts are. */
export function awaitAll<Part extends string>(
  parts: readonly Part[],
  onAll: () => void,
): (part: Part) => void {
  const waiting = new Set<Part>(parts);
  return (part) => {
    if (waiting.delete(part) && waiting.size === 0) onAll();
  };
}
