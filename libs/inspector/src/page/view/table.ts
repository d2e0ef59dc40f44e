// SPDX-License-Identifier: Apache-2.0

import { createElement } from "./elements.ts";

/** The first cell of each row is its heading. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
): HTMLElement {
  return createElement("table", {}, [
    createElement("thead", {}, [
      createElement(
        "tr",
        {},
        head.map((text) => createElement("th", { scope: "col" }, [text])),
      ),
    ]),
    createElement("tbody", {}, rows.map(renderRow)),
  ]);
}

const renderRow = (cells: readonly (Node | string)[]): HTMLElement =>
  createElement(
    "tr",
    {},
    cells.map((cell, at) =>
      at === 0
        ? createElement("th", { scope: "row", dir: "auto" }, [cell])
        : createElement("td", { dir: "auto" }, [cell]),
    ),
  );
