// SPDX-License-Identifier: Apache-2.0
// The file of the dashboard, judged by a JSON schema that is made of Grafana's own types.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Ajv, type Schema } from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const root = join(import.meta.dir, "../..");
const schema = createGenerator({
  path: join(root, "scripts/dashboard/model.ts"),
  tsconfig: join(root, "tsconfig.json"),
  type: "DashboardModel",
  // `make check` has checked the types. Without named parts: Grafana has different types of one name.
  ...{ skipTypeCheck: true, expose: "none", topRef: false },
  ...{ additionalProperties: false, discriminatorType: "open-api" },
}).createSchema("DashboardModel");
// The cast: ajv's type does not admit properties that are undefined, and JSON does not have them.
const isValid = new Ajv({ allErrors: true, discriminator: true, allowUnionTypes: true }).compile(
  schema as Schema,
);
const text = await Bun.file(join(root, "deploy/monitoring/dashboards/tetragon.json")).text();

/** What the schema finds: each place with what is wrong there. */
function findErrors(dashboard: unknown): readonly string[] {
  isValid(dashboard);
  return (isValid.errors ?? []).map(({ instancePath, message = "", params }) =>
    `${instancePath} ${message} ${params["additionalProperty"] ?? ""}`.trim(),
  );
}

test("the dashboard has the form that Grafana reads", () => {
  expect(findErrors(JSON.parse(text))).toEqual([]);
});

test.each([
  {
    name: "a misspelt key of the dashboard",
    from: '"refresh"',
    to: '"refesh"',
    error: "must NOT have additional properties refesh",
  },
  {
    name: "a misspelt key of a panel",
    from: '"gridPos"',
    to: '"gridPosition"',
    error: "/panels/0 must NOT have additional properties gridPosition",
  },
  {
    name: "a misspelt key of a stat's options",
    from: '"reduceOptions"',
    to: '"reduceOption"',
    error: "/panels/1/options must NOT have additional properties reduceOption",
  },
  {
    name: "a misspelt key of a graph's lines",
    from: '"fillOpacity"',
    to: '"fillOpactiy"',
    error: "/panels/14/fieldConfig/defaults/custom must NOT have additional properties fillOpactiy",
  },
  {
    name: "a misspelt key of a state timeline",
    from: '"rowHeight"',
    to: '"rowHight"',
    error: "/panels/42/options must NOT have additional properties rowHight",
  },
  {
    name: "a misspelt key of a query",
    from: '"legendFormat"',
    to: '"legend"',
    error: "/panels/1/targets/0 must NOT have additional properties legend",
  },
  {
    name: "a misspelt key of a variable",
    from: '"includeAll"',
    to: '"includeAny"',
    error: "/templating/list/0 must NOT have additional properties includeAny",
  },
  {
    name: "a unit that is a number",
    from: '"unit": "reqps"',
    to: '"unit": 7',
    error: "/panels/14/fieldConfig/defaults/unit must be string",
  },
  {
    name: "a unit that Grafana does not have",
    from: '"unit": "reqps"',
    to: '"unit": "requests"',
    error: "/panels/14/fieldConfig/defaults/unit must be equal to one of the allowed values",
  },
  {
    name: "no unit",
    from: '"unit": "reqps",',
    to: "",
    error: "/panels/14/fieldConfig/defaults must have required property 'unit'",
  },
  {
    name: "a number as text",
    from: '"decimals": 0',
    to: '"decimals": "0"',
    error: "/panels/1/fieldConfig/defaults/decimals must be number",
  },
  {
    name: "another data source",
    from: '"uid": "$datasource"',
    to: '"uid": "prometheus"',
    error: "/templating/list/1/datasource/uid must be equal to constant",
  },
  {
    name: "a variable without a data source",
    from: /"datasource": \{[^}]*\},/,
    to: "",
    error: "/templating/list/1 must have required property 'datasource'",
  },
  {
    name: "a panel without a data source",
    from: /(?<="title": "Hook calls",\s*"description": .*\s*)"datasource": \{[^}]*\},/,
    to: "",
    error: "/panels/14 must have required property 'datasource'",
  },
  {
    name: "an unknown kind of panel",
    from: '"type": "timeseries"',
    to: '"type": "graph"',
    error: '/panels/14 value of tag "type" must be in oneOf',
  },
  {
    name: "the options of another kind of panel",
    from: '"type": "timeseries"',
    to: '"type": "stat"',
    error: "/panels/14/options must NOT have additional properties legend",
  },
  {
    name: "an unknown word for the legend",
    from: '"displayMode": "table"',
    to: '"displayMode": "tabel"',
    error: "/panels/14/options/legend/displayMode must be equal to one of the allowed values",
  },
  {
    name: "a description that is no sentence",
    from: /"description": "Agents[^"]*"/,
    to: '"description": "x"',
    error: '/panels/1/description must match pattern "\\.$"',
  },
  {
    name: "no queries",
    from: /"targets": \[[^\]]*\]/,
    to: '"targets": []',
    error: "/panels/1/targets must NOT have fewer than 1 items",
  },
  {
    name: "an empty expression",
    from: /"expr": ".*"/,
    to: '"expr": ""',
    error: "/panels/1/targets/0/expr must NOT have fewer than 1 characters",
  },
  { name: "no id", from: /"id": \d+,/, to: "", error: "/panels/0 must have required property 'id'" },
])("the schema finds $name", ({ from, to, error }) => {
  const broken = text.replace(from, to);
  expect(broken).not.toBe(text);
  expect(findErrors(JSON.parse(broken))).toContain(error);
});
