// SPDX-License-Identifier: Apache-2.0

/** What the script in a virtual machine reported with `result`, by name; lines of one name are one value. */
export function readResults(console: string): ReadonlyMap<string, string> {
  const results = new Map<string, string>();
  for (const line of console.split(/\r*\n/)) {
    const [, name, value] = /^RESULT ([^=]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const before = results.get(name);
    results.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return results;
}

export const readTail = (console: string, lines = 60): string =>
  console.trimEnd().split(/\r*\n/).slice(-lines).join("\n");
