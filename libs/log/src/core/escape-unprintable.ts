// SPDX-License-Identifier: Apache-2.0

const printableAscii = /^[ -~]*$/;

/**
 * Writes what a terminal could obey, or a viewer would not show, as \uXXXX, one for each UTF-16 unit. Both JSON and Go's
 * quoted text read it back. Names of pods and containers come from outside.
 */
export function escapeUnprintable(text: string): string {
  if (printableAscii.test(text)) return text;
  // Controls (C0, DEL, C1), format characters such as bidirectional marks, unassigned ones, line and paragraph separators.
  // The expression stands here since making it costs 50 µs, which the start of a hook with plain text need not pay.
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  let escaped = "";
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
