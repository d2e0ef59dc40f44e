// SPDX-License-Identifier: Apache-2.0

/**
 * Control and format characters as escapes, so that a name cannot look like another one: "\u{202e}" would turn around
 * what follows. Line feeds stay.
 */
export const showInvisible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === "\n" ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** JSON on several lines. */
export const renderJson = (value: unknown): string =>
  showInvisible(JSON.stringify(value, undefined, 2) ?? "");
