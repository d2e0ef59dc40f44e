// SPDX-License-Identifier: Apache-2.0

/** The version in the output of the hook's `--version`: "0.1.0", "1.2.0-rc.1"; undefined for other output. */
export function parseVersion(output: string): string | undefined {
  return /^\S+ (\d+\.\d+\.\d+\S*)\s*$/.exec(output)?.[1];
}

/** Precedence by Semantic Versioning 2.0.0, section 11. */
export function isNewer(version: string, than: string): boolean {
  const [one = "", onePre = ""] = version.split(/-(.*)/);
  const [other = "", otherPre = ""] = than.split(/-(.*)/);
  const numbers = (text: string): number[] => text.split(/[.+]/).slice(0, 3).map(Number);
  const [left, right] = [numbers(one), numbers(other)];
  for (const [at, number] of left.entries()) {
    const against = right[at] ?? 0;
    if (number !== against) return number > against;
  }
  if (onePre === otherPre) return false;
  // A release is newer than its release candidates.
  if (onePre === "" || otherPre === "") return onePre === "";
  return onePre.localeCompare(otherPre, "en", { numeric: true }) > 0;
}
