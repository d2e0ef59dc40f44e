// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { type CreateContainer, RuntimeHookRequest } from "@rthooks/proto";
import { encodeRuntimeHookRequest } from "@rthooks/proto/unary";
import fc from "fast-check";

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 40, maxLength: 300 }),
);

const request = fc.record({
  cgroupsPath: text,
  rootDir: text,
  annotations: fc.array(fc.tuple(text, text), { maxLength: 20 }).map((entries) => new Map(entries)),
  containerName: text,
  containerID: text,
  podName: text,
  podUID: text,
  podNamespace: text,
  containerImage: text,
  mounts: fc.array(
    fc.record({ destination: text, type: text, source: text, options: fc.array(text, { maxLength: 5 }) }),
    { maxLength: 10 },
  ),
});

const generated = (createContainer: CreateContainer): Uint8Array =>
  RuntimeHookRequest.encode({ event: { $case: "createContainer", createContainer } }).finish();

test("the hook's own encoding is byte for byte the generated one", () => {
  fc.assert(
    fc.property(request, (message) => {
      expect(Buffer.from(encodeRuntimeHookRequest(message)).toString("hex")).toBe(
        Buffer.from(generated(message)).toString("hex"),
      );
    }),
    { numRuns: 500 },
  );
});

test("half a surrogate pair, which JSON can hold, is replaced as the generated code does", () => {
  const [message] = fc.sample(request, { numRuns: 1, seed: 1 });
  if (message === undefined) throw new Error("no sample");
  for (const name of ["\ud800", "a\udfffb", `${"x".repeat(60)}\ud83d`]) {
    const hostile = { ...message, containerName: name, annotations: new Map([[name, name]]) };
    expect(Buffer.from(encodeRuntimeHookRequest(hostile)).toString("hex")).toBe(
      Buffer.from(generated(hostile)).toString("hex"),
    );
  }
});

test("also when it is several megabytes", () => {
  const empty = fc.sample(request, { numRuns: 1, seed: 1 })[0];
  if (empty === undefined) throw new Error("no sample");
  const large = { ...empty, annotations: new Map([["a", "é".repeat(3_000_000)]]) };
  expect(Bun.hash(encodeRuntimeHookRequest(large))).toBe(Bun.hash(generated(large)));
});
