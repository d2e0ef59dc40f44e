// SPDX-License-Identifier: Apache-2.0

const printableAscii = /^[ -~]*$/;

/**
 * Escapes control and invisible characters as \uXXXX, one for each UTF-16 unit; JSON and Go's quoted strings can decode them.
 * Names of pods and containers come from outside and must not control a terminal.
 */
export function escapeUnprintable(text: string): string {
  if (printableAscii.test(text)) return text;
  // Controls (C0, DEL, C1), format characters such as bidirectional marks, unassigned ones, line and paragraph separators.
  // The expression is created here, since that takes 50 µs, which a hook with plain text does not need to spend.
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
