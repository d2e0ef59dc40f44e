// SPDX-License-Identifier: Apache-2.0
// An object against a CustomResourceDefinition, as the API server validates it with fieldValidation=Strict, which kubectl
// asks for: unknown fields, nulls and defaults (apiextensions-apiserver pkg/apiserver/schema), then the schema, then rules.
import { type CelInput, CelScalar, celEnv, parse, plan } from "@bufbuild/cel";
import type { CustomResourceDefinition, OpenApiSchema } from "@rthooks/policy/crd";
import { Ajv } from "ajv";

/** Gives what is wrong with an object; nothing if the server stores it. */
export type CrdValidator = (object: unknown) => readonly string[];

const PRESERVE = "x-kubernetes-preserve-unknown-fields";
const RULES = "x-kubernetes-validations";

export function createCrdValidator({ spec, metadata }: CustomResourceDefinition): CrdValidator {
  const schema = spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) throw new Error(`${metadata.name} has no schema`);
  const ajv = new Ajv({ allErrors: true, formats: { int32: true, int64: true }, strictRequired: true });
  ajv.addVocabulary([PRESERVE, RULES]);
  const validate = ajv.compile(schema);
  return (object) => {
    const faults: string[] = [];
    const stored = toStored(object, schema, "", faults);
    if (!validate(stored)) {
      faults.push(
        ...(validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`),
      );
    }
    // Rules are evaluated for a valid object only.
    if (faults.length === 0) evaluateRules(stored, schema, "", faults);
    return faults;
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields of metadata are the API server's own matter. */
const isOpaque = ({ properties, additionalProperties }: OpenApiSchema): boolean =>
  properties === undefined && additionalProperties === undefined;

/** The object without nulls, with defaults; unknown fields are faults. */
function toStored(value: unknown, schema: OpenApiSchema, path: string, faults: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined
      ? value
      : value.map((item, index) => toStored(item, items, `${path}/${index}`, faults));
  }
  if (!isObject(value) || schema.type !== "object" || isOpaque(schema)) return value;
  const { properties = {}, additionalProperties } = schema;
  const stored: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (inner === undefined) faults.push(`${path}/${name} is unknown`);
    else if (member !== null) stored[name] = toStored(member, inner, `${path}/${name}`, faults);
  }
  for (const [name, { default: value }] of Object.entries(properties)) {
    if (value !== undefined) stored[name] ??= value;
  }
  return stored;
}

function evaluateRules(value: unknown, schema: OpenApiSchema, path: string, faults: string[]): void {
  for (const { rule, message } of schema[RULES] ?? []) {
    const result = compileRule(rule)(toCel(value));
    if (result !== true) faults.push(`${path} ${result === false ? message : `${rule}: ${String(result)}`}`);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) evaluateRules(item, items, `${path}/${index}`, faults);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    const inner = schema.properties?.[name] ?? schema.additionalProperties;
    if (inner !== undefined) evaluateRules(member, inner, `${path}/${name}`, faults);
  }
}

type Evaluate = (self: CelInput) => unknown;
const compiled = new Map<string, Evaluate>();

function compileRule(rule: string): Evaluate {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  const run = plan(celEnv({ variables: { self: CelScalar.DYN } }), parse(rule));
  const evaluate: Evaluate = (self) => run({ self });
  compiled.set(rule, evaluate);
  return evaluate;
}

function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (isObject(value)) return new Map(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
  if (typeof value === "number") return BigInt(value);
  return typeof value === "string" || typeof value === "boolean" ? value : null;
}
