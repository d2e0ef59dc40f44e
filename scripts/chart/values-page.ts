// SPDX-License-Identifier: Apache-2.0
// docs/reference/chart-values.md: the values with their comments, and what became of those of Tetragon's chart.

import { join } from "node:path";
import { isMap, isPair, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";
import { renderCode, renderTable } from "../reference/markdown.ts";
import { absentValues, otherValues, sameValues } from "./reference-values.ts";

const valuesFile = join(import.meta.dir, "..", "..", "install/kubernetes/tetragon/values.yaml");

interface Value {
  readonly name: string;
  readonly default: string;
  readonly description: string;
}

const isReference = (name: string): boolean => sameValues.includes(name) || name in otherValues;

export async function renderChartValuesPage(): Promise<string> {
  const { contents } = parseDocument(await Bun.file(valuesFile).text());
  if (!isMap(contents)) throw new Error(`${valuesFile} is not a map`);
  const values = listValues(contents, "");
  return [
    "# Values of the chart",
    "Of `install/kubernetes/tetragon`. A name that the chart does not have, and a value of the wrong kind, is an error of `helm install`.",
    renderTable(
      ["value", "default", "meaning"],
      values.map((one) => [renderCode(one.name), renderCode(one.default), one.description]),
    ),
    "## Values of Tetragon's chart",
    "What becomes of the values of the chart of Tetragon 1.7. A file of values for it works here when the values that are not there are removed.",
    "### With a difference",
    renderTable(
      ["value", "here"],
      Object.entries(otherValues).map(([name, here]) => [renderCode(name), here]),
    ),
    "### Not there",
    renderTable(
      ["value", "what instead"],
      absentValues.map(([names, here]) => [names.map(renderCode).join(", "), here]),
    ),
    "### Only here",
    values
      .filter(({ name }) => !isReference(name))
      .map(({ name }) => renderCode(name))
      .join(", "),
    "### The same",
    "All others have the same meaning and the same default.",
  ].join("\n\n");
}

/** A value is what has a description; the maps above it have none. */
function listValues(map: YAMLMap, above: string): readonly Value[] {
  return map.items.flatMap((pair, at) => {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    const name = above === "" ? key : `${above}.${key}`;
    const comment = (at === 0 ? map.commentBefore : undefined) ?? commentOf(pair);
    const description = /(?:^|\n) -- ([\s\S]*)$/.exec(comment)?.[1]?.replace(/\n\s*/g, " ");
    if (description !== undefined) return [{ name, default: renderDefault(pair), description }];
    if (isPair(pair) && isMap(pair.value) && pair.value.items.length > 0) return listValues(pair.value, name);
    throw new Error(`${valuesFile}: ${name} has no description`);
  });
}

const commentOf = ({ key }: Pair): string => (isScalar(key) ? (key.commentBefore ?? "") : "");

function renderDefault({ value }: Pair): string {
  const json = JSON.stringify(isScalar(value) ? value.value : value) ?? "null";
  return json.length > 90 ? "see values.yaml" : json;
}
