// SPDX-License-Identifier: Apache-2.0
// ECMAScript 2026, "JSON.parse source text access": Bun has it, TypeScript's library does not yet.

interface JSON {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
