// SPDX-License-Identifier: Apache-2.0
// Parts of a JSON schema (draft 7, which Helm validates values with).

export type Schema = Readonly<Record<string, unknown>>;

/** No other keys: a misspelt value is an error. */
export const closed = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  additionalProperties: false,
  properties,
});

export const text: Schema = { type: "string" };
export const truth: Schema = { type: "boolean" };
export const list: Schema = { type: "array" };
/** Objects of Kubernetes' own: the API server validates them. */
export const object: Schema = { type: "object" };
export const textMap: Schema = { type: "object", additionalProperties: text };
export const objects: Schema = { type: "array", items: object };

export const oneOf = (...values: readonly string[]): Schema => ({ enum: values });
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
export const matching = (pattern: string): Schema => ({ type: "string", pattern });
export const integer = (minimum: number, maximum?: number): Schema => ({
  type: "integer",
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});

/** A path of the node: absolute, without `..`, and without what would end it in a mount option. */
export const path = matching("^/([^/:,]+(/[^/:,]+)*)?$");
export const duration = matching("^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h))+$");
export const port = integer(1, 65_535);

const name = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
/** "a, b": names of namespaces. */
export const namespaces = matching(`^\\s*(${name}\\s*(,\\s*${name}\\s*)*,?\\s*)?$`);
/** A name of an object, or nothing. */
export const objectName = matching(`^(${name})?$`);

/** Flags by name, without dashes. `null` is a flag without a value. */
export const flags = (names: readonly string[]): Schema => ({
  type: "object",
  propertyNames: { enum: [...names].sort() },
  additionalProperties: { type: ["string", "number", "boolean", "null", "array"] },
});
