// SPDX-License-Identifier: Apache-2.0
// The generated messages against an independent implementation, which reads the .proto files itself.
import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type CreateContainer, RuntimeHookRequest } from "@rthooks/proto";
import fc from "fast-check";
import protobuf from "protobufjs";

const PROTO = join(import.meta.dir, "../../libs/proto/proto");

/** As protobufjs has it: a plain object instead of a map. */
type PlainContainer = Omit<CreateContainer, "annotations"> & {
  readonly annotations: Readonly<Record<string, string>>;
};

let independent: protobuf.Type;

beforeAll(async () => {
  const files = [...new Bun.Glob("**/*.proto").scanSync(PROTO)].sort();
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(PROTO, target);
  await root.load(files, { keepCase: true });
  independent = root.lookupType("tetragon.RuntimeHookRequest");
});

const empty: CreateContainer = {
  cgroupsPath: "",
  rootDir: "",
  annotations: new Map(),
  containerName: "",
  containerID: "",
  podName: "",
  podUID: "",
  podNamespace: "",
  containerImage: "",
  mounts: [],
};

const full: CreateContainer = {
  cgroupsPath: "/kubepods/burstable/pod0a1b/c0ffee",
  rootDir: "/run/bundle/rootfs",
  annotations: new Map([
    ["io.kubernetes.cri.container-name", "web"],
    ["", "a value without a key"],
    ["a key without a value", ""],
  ]),
  containerName: "web",
  containerID: "c0ffee",
  podName: "web-0",
  podUID: "0a1b",
  podNamespace: "shop",
  containerImage: "registry.example/web:1",
  mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", ""] },
    { destination: "", type: "", source: "", options: [] },
  ],
};

test.each([
  { name: "all fields", container: full },
  { name: "no field", container: empty },
  {
    name: "Unicode",
    container: { ...full, podName: "grün €😀", annotations: new Map([["ключ", "値\u0000\n"]]) },
  },
  {
    name: "a text of 1 MB",
    container: { ...full, annotations: new Map([["large", "x".repeat(1_000_000)]]) },
  },
  {
    name: "many mounts",
    container: { ...full, mounts: Array.from({ length: 500 }, () => full.mounts[0] ?? fail()) },
  },
])("$name: each implementation reads the other", ({ container }) => {
  expectSame(container);
});

test("500 requests of every shape: each implementation reads the other", () => {
  // Half a surrogate pair has no UTF-8, so it is no protobuf string.
  const text = fc.string({ unit: "grapheme", maxLength: 30 }).map((value) => value.toWellFormed());
  const container = fc.record<CreateContainer>({
    cgroupsPath: text,
    rootDir: text,
    annotations: fc.array(fc.tuple(text, text), { maxLength: 6 }).map((pairs) => new Map(pairs)),
    containerName: text,
    containerID: text,
    podName: text,
    podUID: text,
    podNamespace: text,
    containerImage: text,
    mounts: fc.array(
      fc.record({ destination: text, type: text, source: text, options: fc.array(text, { maxLength: 4 }) }),
      { maxLength: 4 },
    ),
  });
  fc.assert(fc.property(container, expectSame), { numRuns: 500 });
});

test("a request without an event is empty in both", () => {
  expect(RuntimeHookRequest.encode({ event: undefined }).finish()).toHaveLength(0);
  expect(RuntimeHookRequest.decode(new Uint8Array(0))).toEqual({ event: undefined });
  expect(independent.encode(independent.create({})).finish()).toHaveLength(0);
});

test("the bytes of a request stay what they are", () => {
  const small: CreateContainer = {
    ...empty,
    cgroupsPath: "/kubepods/poda/b",
    rootDir: "/r",
    annotations: new Map([["k", "v"]]),
    containerName: "n",
    containerID: "b",
    podName: "p",
    podUID: "a",
    podNamespace: "s",
    containerImage: "i",
    mounts: [{ destination: "/d", type: "t", source: "/s", options: ["ro"] }],
  };
  // Field numbers are Tetragon's: an agent of the field must read them.
  expect(encode(small).toHex()).toBe(
    "0a41" +
      "0a10" +
      "2f6b756265706f64732f706f64612f62" +
      "12022f72" +
      "1a060a016b120176" +
      "22016e" +
      "2a0162" +
      "320170" +
      "3a0161" +
      "420173" +
      "4a0169" +
      "520f0a022f641201741a022f732202726f",
  );
  expect(RuntimeHookRequest.decode(encode(small)).event?.createContainer).toEqual(small);
});

test("annotation keys that mean something to JavaScript are only keys", () => {
  const annotations = new Map([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  const read = RuntimeHookRequest.decode(encode({ ...empty, annotations }));
  expect(read.event?.createContainer.annotations).toEqual(annotations);
});

function encode(container: CreateContainer): Uint8Array {
  return RuntimeHookRequest.encode({
    event: { $case: "createContainer", createContainer: container },
  }).finish();
}

function expectSame(container: CreateContainer): void {
  const { annotations, ...others } = container;
  const plain: PlainContainer = { ...others, annotations: Object.fromEntries(annotations) };
  const read = independent.toObject(independent.decode(encode(container)), { defaults: true });
  expect(read["createContainer"]).toEqual(plain);
  const written = independent.encode(independent.fromObject({ createContainer: plain })).finish();
  expect(RuntimeHookRequest.decode(written).event).toEqual({
    $case: "createContainer",
    createContainer: container,
  });
}

function fail(): never {
  throw new Error("the fixture has no mount");
}
