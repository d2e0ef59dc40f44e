// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export const root = join(import.meta.dir, "..", "..", "..");

export const readText = (path: string): string => readFileSync(join(root, path), "utf8");

/** Every Markdown file of the repository that people write, and docs/reference. */
export const documents: readonly Document[] = ["*.md", "docs/**/*.md"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)])
  .toSorted()
  .map((path) => ({ path, text: readText(path) }));

/** The text between backticks, outside of blocks of code. */
export const findCode = (text: string): readonly string[] =>
  [...text.replace(/^ *```.*?^ *```$/gms, "").matchAll(/(`+) ?(.+?) ?\1(?!`)/gs)].map(
    ([, , code = ""]) => code,
  );
