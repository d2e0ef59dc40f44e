// SPDX-License-Identifier: Apache-2.0

export type TomlValue = string | boolean | number | readonly string[];

/** toml.io, v1.0.0, "Keys". */
const bareKey = /^[A-Za-z0-9_-]+$/;

const renderKey = (key: string): string => (bareKey.test(key) ? key : renderText(key));

export const renderKeyPath = (path: readonly string[]): string => path.map(renderKey).join(".");

/** With the quotes of existing keys: containerd writes single quotes since version 3 of its configuration. */
export const renderKeyPathLike = (path: readonly string[], old: string): string =>
  /^[^"]*'/.test(old) && path.every((key) => /^[^'\p{Cc}]*$/u.test(key))
    ? path.map((key) => (bareKey.test(key) ? key : `'${key}'`)).join(".")
    : renderKeyPath(path);

export function renderValue(value: TomlValue): string {
  if (typeof value === "string") return renderText(value);
  if (typeof value === "object") return `[${value.map(renderText).join(", ")}]`;
  return String(value);
}

/** With the quotes of the old text, if they can represent the new one. */
export const renderTextLike = (text: string, old: string): string =>
  old.startsWith("'") && !old.startsWith("'''") && /^[^'\p{Cc}]*$/u.test(text)
    ? `'${text}'`
    : renderText(text);

/** JSON's escapes are valid in TOML; in addition, TOML requires one for DEL. */
const renderText = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007F");
