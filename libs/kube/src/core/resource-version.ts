// SPDX-License-Identifier: Apache-2.0

const NUMBER = /^\d+$/;

/**
 * Whether the version is older than the other. Versions of one resource are decimal numbers of any length (KEP-5504);
 * other texts cannot be compared, and the result is false.
 */
export function isOlder(version: string, than: string): boolean {
  if (!NUMBER.test(version) || !NUMBER.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
