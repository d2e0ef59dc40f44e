// SPDX-License-Identifier: Apache-2.0

import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { Screen } from "../core/screen.ts";

/**
 * The screen behind standard output. Colours only on a terminal, without a `NO_COLOR` that has a value (no-color.org), and
 * not where TERM is "dumb".
 */
export function openScreen(
  stream: Pick<WriteStream, "columns" | "isTTY">,
  env: Readonly<Record<string, string | undefined>>,
): Screen {
  const hasColors = stream.isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return {
    // Read again for each line: the window's size changes.
    get columns() {
      return stream.isTTY && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY;
    },
    widthOf: (text) => Bun.stringWidth(text),
    paint: (style, text) => (hasColors ? styleText(style, text, { validateStream: false }) : text),
  };
}
