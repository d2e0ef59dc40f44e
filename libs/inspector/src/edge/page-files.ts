// SPDX-License-Identifier: Apache-2.0
// The files of the page for browsers, by their path.

import { embedPage } from "./page-files.macro.ts" with { type: "macro" };

export interface PageFile {
  /** Media type. */
  readonly type: string;
  readonly text: string;
}

const page = embedPage();

export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ["/", { type: "text/html; charset=utf-8", text: page.html }],
  ["/app.js", { type: "text/javascript; charset=utf-8", text: page.script }],
  ["/style.css", { type: "text/css; charset=utf-8", text: page.style }],
  ["/icon.svg", { type: "image/svg+xml", text: page.icon }],
  ...Object.entries(page.drawings).map(([id, text]): [string, PageFile] => [
    `/machines/${id}.svg`,
    { type: "image/svg+xml", text },
  ]),
  ...Object.entries(page.descriptions).map(([id, text]): [string, PageFile] => [
    `/machines/${id}.json`,
    { type: "application/json", text },
  ]),
]);
