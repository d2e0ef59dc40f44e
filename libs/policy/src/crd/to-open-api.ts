// SPDX-License-Identifier: Apache-2.0
// The schema of a CustomResourceDefinition, from the valibot schema by which a document is validated. What the API server
// accepts may be more than the program accepts, never less: rules between fields are checked by the program alone, except
// for those with a CEL rule.

import type * as v from "valibot";
import { findSchemaPart, isSchema, type SchemaPart } from "../schema/schema-part.ts";
import type { OpenApiSchema } from "./open-api-schema.ts";

/** By "field", or by "parent.field" where a field means something else in that parent. */
export type Descriptions = Readonly<Record<string, string>>;

/** Throws on a field without a description and on a schema without an equivalent. */
export const toOpenApi = (schema: v.GenericSchema, descriptions: Descriptions): OpenApiSchema =>
  convert(schema, "", descriptions);

/** `parent`: the nearest field around the value; the items of a list have that of the list. */
function convert(schema: v.GenericSchema, parent: string, descriptions: Descriptions): OpenApiSchema {
  const optional = readOptional(schema);
  if (optional !== undefined) {
    const inner = convert(optional.wrapped, parent, descriptions);
    return isWorthWriting(optional.default) ? { ...inner, default: optional.default } : inner;
  }
  const part = findSchemaPart(schema);
  if (part !== undefined) return convertPart(part, parent, descriptions);
  if (schema.type === "string") return { type: "string" };
  if (schema.type === "boolean") return { type: "boolean" };
  if (schema.type === "object" && "entries" in schema && isEntries(schema.entries)) {
    return convertPart({ kind: "object", fields: schema.entries }, parent, descriptions);
  }
  if (schema.type === "array" && "item" in schema && isSchema(schema.item)) {
    return { type: "array", items: convert(schema.item, parent, descriptions) };
  }
  throw new Error(`${parent}: a schema of the type ${schema.type} has no equivalent in a CRD`);
}

function convertPart(part: SchemaPart, parent: string, descriptions: Descriptions): OpenApiSchema {
  switch (part.kind) {
    case "object":
      return convertObject(part, parent, descriptions);
    case "list": {
      const list = { type: "array", items: convert(part.item, parent, descriptions) } as const; // const: the type is one of a few names
      return part.maxItems === undefined ? list : { ...list, maxItems: part.maxItems };
    }
    case "map":
      return { type: "object", additionalProperties: convert(part.value, parent, descriptions) };
    case "integer":
      return {
        type: "integer",
        format: part.max > 0x7fffffff ? "int64" : "int32",
        ...{ minimum: part.min, maximum: part.max },
      };
    case "text": {
      const { kind: _kind, oneOf, ...limits } = part;
      return { type: "string", ...limits, ...(oneOf === undefined ? {} : { enum: oneOf }) };
    }
  }
}

function convertObject(
  { fields, rules = [] }: Extract<SchemaPart, { readonly kind: "object" }>,
  parent: string,
  descriptions: Descriptions,
): OpenApiSchema {
  const entries = Object.entries(fields);
  // The API server would remove unknown fields and accept the rest; this object may have none.
  if (entries.length === 0)
    return { type: "object", maxProperties: 0, "x-kubernetes-preserve-unknown-fields": true };
  const properties = Object.fromEntries(
    entries.map(([name, field]) => {
      const description = findDescription(descriptions, parent, name);
      return [name, { description, ...convert(field, name, descriptions) }];
    }),
  );
  const required = entries.flatMap(([name, field]) => (readOptional(field) === undefined ? [name] : []));
  return {
    type: "object",
    ...(required.length === 0 ? {} : { required }),
    properties,
    ...(rules.length === 0 ? {} : { "x-kubernetes-validations": rules }),
  };
}

function findDescription(descriptions: Descriptions, parent: string, name: string): string {
  const found = descriptions[`${parent}.${name}`] ?? descriptions[name];
  if (found === undefined) throw new Error(`the field ${parent}.${name} has no description`);
  return found;
}

/** Undefined for a field that must be present. */
function readOptional(
  schema: v.GenericSchema,
): { readonly wrapped: v.GenericSchema; readonly default: unknown } | undefined {
  const isOptional = schema.type === "optional" || schema.type === "nullish";
  if (!isOptional || !("wrapped" in schema) || !isSchema(schema.wrapped)) return undefined;
  return { wrapped: schema.wrapped, default: "default" in schema ? schema.default : undefined };
}

/** Others are what a client takes an absent field for. */
const isWorthWriting = (value: unknown): value is string | number | true =>
  (typeof value === "string" && value !== "") || (typeof value === "number" && value !== 0) || value === true;

const isEntries = (value: unknown): value is Readonly<Record<string, v.GenericSchema>> =>
  typeof value === "object" && value !== null && Object.values(value).every(isSchema);
