// SPDX-License-Identifier: Apache-2.0

import type { Path } from "./document.ts";
import type { TomlValue } from "./render-toml.ts";

export type TomlEdit =
  /** Sets keys of one table, which is created if necessary. */
  | {
      readonly kind: "set";
      readonly table: Path;
      readonly entries: readonly (readonly [key: string, value: TomlValue])[];
    }
  | { readonly kind: "remove"; readonly table: Path; readonly key: string }
  /** Adds missing elements to a list of strings, which is created if necessary. */
  | { readonly kind: "add"; readonly table: Path; readonly key: string; readonly texts: readonly string[] }
  | { readonly kind: "drop"; readonly table: Path; readonly key: string; readonly text: string };
