// SPDX-License-Identifier: Apache-2.0

/** Gives a function that is called with each part once it is done; `onAll` is called when all of them are. */
export function awaitAll<Part extends string>(
  parts: readonly Part[],
  onAll: () => void,
): (part: Part) => void {
  const waiting = new Set<Part>(parts);
  return (part) => {
    if (waiting.delete(part) && waiting.size === 0) onAll();
  };
}
