// SPDX-License-Identifier: Apache-2.0
// What a schema says of the documents that it accepts, in the terms of a CustomResourceDefinition. Schemas that are made
// of functions do not show it themselves; the CRDs are generated from it.

import type * as v from "valibot";

export type SchemaPart =
  | {
      readonly kind: "object";
      readonly fields: Readonly<Record<string, v.GenericSchema>>;
      readonly rules?: readonly CelRule[];
    }
  | { readonly kind: "list"; readonly item: v.GenericSchema; readonly maxItems: number | undefined }
  | { readonly kind: "map"; readonly value: v.GenericSchema }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | {
      readonly kind: "text";
      readonly minLength?: number;
      readonly maxLength?: number;
      readonly pattern?: string;
      readonly oneOf?: readonly string[];
    };

/** A rule between fields, which an API server evaluates (x-kubernetes-validations). */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

const parts = new WeakMap<v.GenericSchema, SchemaPart>();

/** Returns the schema itself. */
export function describeSchema<T extends v.GenericSchema>(schema: T, part: SchemaPart): T {
  parts.set(schema, part);
  return schema;
}

/** Adds rules to an object's schema, and returns it. */
export function withCelRules<T extends v.GenericSchema>(schema: T, ...rules: readonly CelRule[]): T {
  const part = findSchemaPart(schema);
  if (part?.kind !== "object") throw new Error("rules are for objects");
  return describeSchema(schema, { ...part, rules: [...(part.rules ?? []), ...rules] });
}

/** That of the schema itself, or of the one at the beginning of its pipe. */
export function findSchemaPart(schema: v.GenericSchema): SchemaPart | undefined {
  const own = parts.get(schema);
  if (own !== undefined || !("pipe" in schema) || !Array.isArray(schema.pipe)) return own;
  const first: unknown = schema.pipe[0];
  return isSchema(first) ? findSchemaPart(first) : undefined;
}

export const isSchema = (value: unknown): value is v.GenericSchema =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
