// SPDX-License-Identifier: Apache-2.0

const NUMBER = /^\d+$/;

/**
 * Whether the version is from before the other. Versions of one resource are decimal numbers of any length (KEP-5504);
 * what is none cannot be compared.
 */
export function isOlder(version: string, than: string): boolean {
  if (!NUMBER.test(version) || !NUMBER.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
