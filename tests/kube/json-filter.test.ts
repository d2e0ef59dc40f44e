// SPDX-License-Identifier: Apache-2.0
// A JSON text of any size is cut down to what is kept of it while it arrives.
import { expect, test } from "bun:test";
import { createBoundedDocument, createJsonFilter, type Keep } from "@rthooks/kube";
import fc from "fast-check";

/** The rule in its plain form, on values. */
function reduce(value: unknown, keep: Keep): unknown {
  if (keep === true || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => reduce(element, keep));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const child = Object.hasOwn(keep, key) ? keep[key] : undefined;
      return child === undefined ? [] : [[key, reduce(member, child)]];
    }),
  );
}

const names = fc.constantFrom("a", "b", "ü", 'q"\\', "long name");
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(0, -1.5e10, true, false, null, "", '\\"', "]}", {}, []),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const keeps = fc.letrec<{ keep: Keep }>((tie) => ({
  keep: fc.oneof(
    { depthSize: "small" },
    fc.constant<Keep>(true),
    fc.dictionary(names, tie("keep"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).keep;

function filter(text: string, keep: Keep, pieceLength: number): string {
  const out: Uint8Array[] = [];
  const push = createJsonFilter(keep, (bytes) => out.push(bytes.slice()));
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceLength) push(bytes.subarray(at, at + pieceLength));
  return Buffer.concat(out).toString();
}

test("a text keeps the named members and nothing else, in whatever pieces it comes", () => {
  fc.assert(
    fc.property(json, keeps, fc.nat(9), fc.constantFrom("", " ", "\t"), (value, keep, length, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(JSON.parse(filter(text, keep, length + 1))).toEqual(reduce(JSON.parse(text), keep));
    }),
    { numRuns: 2000 },
  );
});

test("a document descends to the level that has room, from wherever it is", () => {
  fc.assert(
    fc.property(json, keeps, fc.nat(60), fc.nat(9), (value, keep, maxBytes, length) => {
      const text = JSON.stringify(value);
      const bytes = new TextEncoder().encode(text);
      const document = createBoundedDocument([
        { keep: true, maxBytes },
        { keep, maxBytes: Number.POSITIVE_INFINITY },
      ]);
      for (let at = 0; at < bytes.length; at += length + 1)
        document.push(bytes.subarray(at, at + length + 1));
      const { text: reduced = "", level } = document.end() ?? {};
      expect(level).toBe(bytes.length > maxBytes ? 1 : 0);
      expect(JSON.parse(reduced)).toEqual(reduce(JSON.parse(text), level === 0 ? true : keep));
    }),
    { numRuns: 2000 },
  );
});

test("a document without room at any level is none", () => {
  const document = createBoundedDocument([{ keep: { a: true }, maxBytes: 3 }]);
  document.push(new TextEncoder().encode('{"a":'));
  document.push(new TextEncoder().encode('"long"}'));
  expect(document.end()).toBeUndefined();
});
