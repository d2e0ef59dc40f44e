// SPDX-License-Identifier: Apache-2.0

export type TomlValue = string | boolean | number | readonly string[];

/** toml.io, v1.0.0, "Keys". */
const bareKey = /^[A-Za-z0-9_-]+$/;

const renderKey = (key: string): string => (bareKey.test(key) ? key : renderText(key));

export const renderKeyPath = (path: readonly string[]): string => path.map(renderKey).join(".");

/** In the manner of the keys that are there: containerd writes single quotes since version 3 of its file. */
export const renderKeyPathLike = (path: readonly string[], old: string): string =>
  /^[^"]*'/.test(old) && path.every((key) => /^[^'\p{Cc}]*$/u.test(key))
    ? path.map((key) => (bareKey.test(key) ? key : `'${key}'`)).join(".")
    : renderKeyPath(path);

export function renderValue(value: TomlValue): string {
  if (typeof value === "string") return renderText(value);
  if (typeof value === "object") return `[${value.map(renderText).join(", ")}]`;
  return String(value);
}

/** In the other's manner of quoting, where that can hold it. */
export const renderTextLike = (text: string, old: string): string =>
  old.startsWith("'") && !old.startsWith("'''") && /^[^'\p{Cc}]*$/u.test(text)
    ? `'${text}'`
    : renderText(text);

/** JSON's escapes are TOML's; DEL has none in JSON, and must have one here. */
const renderText = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007F");
