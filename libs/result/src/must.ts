// SPDX-License-Identifier: Apache-2.0
// For tests and benchmarks: programs handle each error.

/** The value; throws for an error. */
export function must<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
