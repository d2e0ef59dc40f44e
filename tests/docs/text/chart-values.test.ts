// SPDX-License-Identifier: Apache-2.0
// Values of the chart that documents name are in its values.yaml.
import { expect, test } from "bun:test";
import { parse } from "yaml";
import { documents, findCode, readText } from "./documents.ts";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const values: unknown = parse(readText("install/kubernetes/tetragon/values.yaml"));

/** A last element "*" stands for any. */
const isValue = (name: string): boolean => {
  let at = values;
  for (const key of name.replace(/\.\*$/, "").split(".")) {
    if (!isRecord(at) || !(key in at)) return false;
    at = at[key];
  }
  return true;
};

const named = documents
  .filter(({ path }) => path !== "CHANGELOG.md" && !/^docs\/(?:reference|adr)\//.test(path))
  .flatMap(({ path, text }) => {
    const inText = findCode(text).filter((code) =>
      /^(?:rthooks|tetragon|tetragonOperator)(?:\.[\w*]+)+$/.test(code),
    );
    const onLines = [...text.matchAll(/--set ([\w.]+)=/g)].map(([, name = ""]) => name);
    return [...new Set([...inText, ...onLines])].map((name) => ({ path, name }));
  });

test("the names are really seen", () => expect(named.length).toBeGreaterThan(15));

test("documents name values that the chart has", () => {
  expect(named.filter(({ name }) => !isValue(name)).map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
});
