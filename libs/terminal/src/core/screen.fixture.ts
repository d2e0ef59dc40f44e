// SPDX-License-Identifier: Apache-2.0

import type { Screen } from "./screen.ts";

/** A screen that shows its styles: `<red>text</red>`. */
export const toScreen = (columns: number): Screen => ({
  columns,
  widthOf: (text) => Bun.stringWidth(text.replace(/<\/?[a-z]+>/g, "")),
  paint: (style, text) => `<${style}>${text}</${style}>`,
});
