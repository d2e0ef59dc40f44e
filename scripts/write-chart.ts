// SPDX-License-Identifier: Apache-2.0
// Writes what the chart has from elsewhere: the schema of its values, alerts and dashboard. With --check it writes nothing,
// and fails where a file is not what it would write.
import { join } from "node:path";
import { valuesSchema } from "./chart/values-schema.ts";
import { writePage, writePages } from "./write-pages.ts";

const root = join(import.meta.dir, "..");
const chart = "install/kubernetes/tetragon";
const read = (path: string): Promise<string> => Bun.file(join(root, path)).text();

await writePages(
  `${chart}/files`,
  new Map([
    ["alerts.yaml", await read("deploy/monitoring/alerts.yaml")],
    ["tetragon.json", await read("deploy/monitoring/dashboards/tetragon.json")],
  ]),
  "make generate",
);
await writePage(`${chart}/values.schema.json`, `${JSON.stringify(valuesSchema, null, 2)}\n`, "make generate");
