// SPDX-License-Identifier: Apache-2.0
// Our JSON against that of protobuf-es, which reads the descriptors of the .proto file.
import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  ScalarType,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import fc from "fast-check";

const root = join(import.meta.dir, "../../libs/proto");
const image = Bun.spawnSync([join(root, "node_modules/.bin/buf"), "build", "-o", "-#format=binpb"], {
  cwd: root,
});
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image.stdout));
const response = registry.getMessage("tetragon.GetEventsResponse");
if (response === undefined) throw new Error(image.stderr.toString());

const timestamps = fc
  .record({ seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), nanos: fc.nat(999_999_999) })
  .chain(({ seconds, nanos }) =>
    fc.constantFrom(0, nanos, nanos - (nanos % 1000), nanos - (nanos % 1_000_000)).map((chosen) => {
      const digits = chosen === 0 ? "" : `.${String(chosen).padStart(9, "0")}`;
      return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${digits}Z`;
    }),
  );

/** JSON of any value of the field's type, such as protobuf-es reads. */
function toArbitrary(field: DescField): fc.Arbitrary<JsonValue> {
  switch (field.fieldKind) {
    case "list":
      return fc.array(
        field.listKind === "message" ? messages(field.message) : toScalar(field.scalar ?? ScalarType.STRING),
        { maxLength: 3 },
      );
    case "map":
      return fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), { maxKeys: 3 });
    case "message":
      return messages(field.message);
    case "enum":
      return fc.constantFrom(...field.enum.values.map(({ name }) => name), 99);
    case "scalar":
      return toScalar(field.scalar);
  }
}

function toScalar(type: ScalarType): fc.Arbitrary<JsonValue> {
  switch (type) {
    case ScalarType.STRING:
      return fc.string({ unit: "binary" });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return fc.oneof(fc.constant(0), fc.integer());
    case ScalarType.UINT32:
      return fc.oneof(fc.constant(0), fc.nat(0xffff_ffff));
    case ScalarType.INT64:
      return fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(String);
    case ScalarType.UINT64:
      return fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(String);
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 9 }).map((bytes) => bytes.toBase64());
    default:
      throw new Error(`a type without an arbitrary: ${type}`);
  }
}

function messages(type: DescMessage): fc.Arbitrary<JsonValue> {
  if (type.typeName === "google.protobuf.Timestamp") return timestamps;
  const [first] = type.fields;
  if (type.typeName.startsWith("google.protobuf.") && first !== undefined) return toArbitrary(first);
  const single = type.fields.filter(({ oneof }) => oneof === undefined);
  const groups = type.oneofs.map(({ fields }) =>
    fc.oneof(...fields.map((field) => toArbitrary(field).map((value) => ({ [field.name]: value })))),
  );
  const plain = fc.record(Object.fromEntries(single.map((field) => [field.name, toArbitrary(field)])), {
    requiredKeys: [],
  });
  return fc.tuple(plain, ...groups).map((parts) => Object.assign({}, ...parts));
}

test("the JSON of any event is that of protobuf-es", () => {
  fc.assert(
    fc.property(messages(response), (json) => {
      const message = fromJson(response, json);
      const ours = toEventJson(GetEventsResponse.decode(toBinary(response, message)));
      expect(JSON.parse(ours)).toEqual(toJson(response, message, { useProtoFieldName: true, registry }));
      expect(ours).not.toContain("\n");
    }),
    { numRuns: 500 },
  );
});

test("every field of every message is compared", () => {
  const names = new Set<string>();
  const visit = (type: DescMessage): void => {
    for (const field of type.fields) {
      names.add(field.name);
      if (field.message !== undefined && !field.message.typeName.startsWith("google.")) visit(field.message);
    }
  };
  visit(response);
  const written = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      written.add(key);
      collect(inner);
    }
  };
  for (const json of fc.sample(messages(response), { numRuns: 2_000, seed: 1 })) {
    collect(JSON.parse(toEventJson(GetEventsResponse.decode(toBinary(response, fromJson(response, json))))));
  }
  expect(names.size).toBeGreaterThan(60);
  expect([...names].filter((name) => !written.has(name))).toEqual([]);
});

test("an unpaired surrogate becomes a character that UTF-8 has", () => {
  const json = toEventJson({ event: undefined, nodeName: "a\ud800b", time: undefined, clusterName: "" });
  expect(json).toBe('{"node_name":"a\ufffdb"}');
});

test.each(["\\ud800", "\\\\ud800", "a\\u0000", "😀", '"\\\ud83d\\', "\ud800\ud800"])(
  "the text %j stays itself where UTF-8 has it",
  (name) => {
    const json = toEventJson({ event: undefined, nodeName: name, time: undefined, clusterName: "" });
    expect(JSON.parse(json)).toEqual({ node_name: name.toWellFormed() });
  },
);
