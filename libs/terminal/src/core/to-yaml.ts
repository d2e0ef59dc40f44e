// SPDX-License-Identifier: Apache-2.0

import { dump, SCALAR_STYLE, visit } from "js-yaml";

/** What js-yaml prints as it is, and a terminal may obey. */
const invisible = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;
const everyInvisible = new RegExp(invisible, "gu");

/** A YAML document without its `---`. Texts with invisible characters are quoted, and these are escaped. */
export function toYaml(value: unknown): string {
  const text = dump(value, {
    noRefs: true,
    lineWidth: -1,
    transform: (documents) =>
      visit(documents, (node) => {
        if (node.kind === "scalar" && invisible.test(node.value)) node.style = SCALAR_STYLE.DOUBLE_QUOTED;
      }),
  });
  // They occur only within double quotes.
  return text.replace(everyInvisible, toEscape);
}

function toEscape(character: string): string {
  const hex = character.codePointAt(0)?.toString(16) ?? "";
  return hex.length > 4 ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
}
