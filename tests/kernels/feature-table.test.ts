// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderFeatureTable, renderKindTable } from "./feature-table.ts";

const read = (page: string): string => readFileSync(join(import.meta.dir, "..", "..", "docs", page), "utf8");

test("the documents have the table by which the kernels are judged", () => {
  expect(read("enforcement.md")).toContain(renderKindTable());
  expect(read("reference/enforcement-kernels.md")).toContain(renderFeatureTable());
});
