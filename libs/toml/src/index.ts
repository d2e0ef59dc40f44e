// SPDX-License-Identifier: Apache-2.0
// Edits of TOML documents that keep layout and comments.

export { editToml } from "./edit-toml.ts";
export { parseTomlValues, type TomlTable } from "./parse.ts";
export type { TomlValue } from "./render-toml.ts";
export type { TomlEdit } from "./toml-edit.ts";
export { renderTomlError, type TomlError } from "./toml-error.ts";
