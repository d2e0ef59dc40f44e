// SPDX-License-Identifier: Apache-2.0
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: sources stand in texts here
import { expect, test } from "bun:test";
import { findExportedTypes, findGlobals, findImports } from "./findings.ts";
import { readTokens } from "./tokens.ts";

interface ImportRow {
  readonly name: string;
  readonly source: string;
  readonly imports: (string | undefined)[];
}

interface GlobalRow {
  readonly name: string;
  readonly source: string;
  readonly found: string[];
}

const importRows: ImportRow[] = [
  { name: "a value", source: 'import { a } from "x";', imports: ["x"] },
  { name: "a type", source: 'import type { A } from "x";', imports: ["x"] },
  { name: "for its effect", source: 'import "x";', imports: ["x"] },
  { name: "on demand", source: 'const a = await import("x");', imports: ["x"] },
  { name: "a type in place", source: 'let a: import("x").A;', imports: ["x"] },
  {
    name: "exported on",
    source: 'export { a, type B } from "x"; export type { C } from "y";',
    imports: ["x", "y"],
  },
  { name: "with attributes", source: 'import { a } from "x" with { type: "macro" };', imports: ["x"] },
  { name: "in a comment", source: '// import "x"\n/* from "y" */', imports: [] },
  { name: "in a text", source: "const a = 'import \"x\"';", imports: [] },
  {
    name: "behind an expression with a quote",
    source: 'a.replace(/"[/"]/g, b); import("x");',
    imports: ["x"],
  },
  { name: "behind a division", source: 'a = b / c; d = "/"; import("x");', imports: ["x"] },
  {
    name: "in a template's code",
    source: 'const a = `"${f({ b: `${import("x")}` })}"`; import("y")',
    imports: ["x", "y"],
  },
  { name: "computed", source: "await import(path);", imports: [undefined] },
];

test.each(importRows)("an import: $name", ({ source, imports }) => {
  expect(findImports(readTokens(source)).map(({ name }) => name)).toEqual(imports);
});

const globalRows: GlobalRow[] = [
  { name: "a use", source: "process.exit(1)", found: ["process"] },
  { name: "in a template", source: "`${process.pid} Bun`", found: ["process"] },
  { name: "on another line", source: "a;\n\nBun.file(x)", found: ["Bun"] },
  { name: "chance", source: "Math.random(); Math.max(1, 2)", found: ["Math.random"] },
  { name: "the time", source: "Date.now(); new Date(ms)", found: ["Date", "Date"] },
  { name: "a type", source: "let a: Date;", found: ["Date"] },
  { name: "the module itself", source: "import.meta.dir", found: ["import.meta"] },
  { name: "a member of that name", source: "a.process; a?.Bun; b.console.log()", found: [] },
  { name: "a property of that name", source: "({ process: 1, Bun: 2 })", found: [] },
  { name: "a member of a type", source: "interface A { readonly process?: string; fetch: F }", found: [] },
  { name: "in texts and comments", source: "'process' + /process/ // process", found: [] },
];

test.each(globalRows)("a global: $name", ({ source, found }) => {
  expect(findGlobals(readTokens(source)).map(({ name }) => name)).toEqual(found);
});

test.each([
  { source: 'import type { A } from "x";', isType: true },
  { source: 'export type { A } from "x";', isType: true },
  { source: 'import { type A } from "x";', isType: false },
  { source: 'import type from "x";', isType: false },
  { source: 'import type { A } from "y"; import { a } from "x";', isType: false },
])("only a type or more: $source", ({ source, isType }) => {
  expect(findImports(readTokens(source)).at(-1)?.isType).toBe(isType);
});

test("a finding has its line", () => {
  expect(findGlobals(readTokens("/*\n*/ a`\n${b}\n`\n+ process"))).toEqual([{ name: "process", line: 5 }]);
});

test.each([
  { source: "export interface A {}", types: ["A"] },
  { source: "export type A<T> = T; export type B = A<1>;", types: ["A", "B"] },
  { source: "export class A {} export abstract class B {}", types: ["A", "B"] },
  { source: "export declare enum A {} export const enum B {}", types: ["A", "B"] },
  { source: 'export type { A } from "x"; export { type B } from "y";', types: [] },
  { source: "interface A {} export const type = 1; export function interface_() {}", types: [] },
])("an exported type: $source", ({ source, types }) => {
  expect(findExportedTypes(readTokens(source))).toEqual(types);
});
