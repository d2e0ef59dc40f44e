// SPDX-License-Identifier: Apache-2.0

/** Splits "a,b". `\,` is a comma inside an element; space around elements and empty elements are removed. */
export function splitList(text: string): readonly string[] {
  return split(text)
    .map((element) => element.replaceAll("\\,", ",").trim())
    .filter((element) => element !== "");
}

/**
 * Splits a list of regular expressions. A comma in braces, brackets or parentheses or after a backslash belongs to the
 * expression.
 */
export function splitPatterns(text: string): readonly string[] {
  let open = "";
  return split(text, (character) => {
    const closing = { "{": "}", "[": "]", "(": ")" }[character];
    if (open.startsWith("]")) {
      // Inside a character class only its closing bracket counts.
      if (character === "]") open = open.slice(1);
    } else if (closing !== undefined) open = closing + open;
    else if (open.startsWith(character)) open = open.slice(1);
    return open !== "";
  }).filter((element) => element !== "");
}

/** `isInside` is optional, so that the hook, which splits its lists at every start, calls no function per character. */
function split(text: string, isInside?: (character: string) => boolean): string[] {
  const elements: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\") at++;
    else if (isInside?.(character) !== true && character === ",") {
      elements.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...elements, text.slice(start)];
}
