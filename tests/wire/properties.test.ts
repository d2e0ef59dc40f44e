// SPDX-License-Identifier: Apache-2.0
// Whatever a server sends: nothing throws, nothing grows, and the end of the connection is the end of the call.
import { expect, test } from "bun:test";
import { createUnaryCall, type UnaryOutcome } from "@rthooks/proto/unary";
import fc from "fast-check";
import { exchanges } from "./fixtures/exchanges.ts";
import { createTestEncoder, type StyledHeader } from "./hpack-encoder.ts";

const SETTINGS = Uint8Array.fromHex("000000040000000000");
const message = new Uint8Array(200_000);
/** The whole request, its frame headers, and the most that may wait to be written beside it. */
const MAX_OUTPUT_BYTES = message.length + 1000 + 64 * 1024;

const cuts = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 20 });

const anyFrame = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    flags: fc.integer({ min: 0, max: 255 }),
    streamId: fc.constantFrom(0, 1, 1, 1, 2, 3, 0x8000_0001),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      // Lengths that some frame types need, so that their contents matter.
      ...[4, 5, 6, 8, 12].map((length) => fc.uint8Array({ minLength: length, maxLength: length })),
      fc.constantFrom(...exchanges.map(({ hex }) => Uint8Array.fromHex(hex).subarray(40, 120))),
    ),
  })
  .map(({ type, flags, streamId, payload }) => frame(type, flags, streamId, payload));

test("arbitrary bytes, with and without a valid beginning", () => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(bytes, fc.boolean(), cuts, (tail, greeted, sizes) => {
      expectBounded(greeted ? Buffer.concat([SETTINGS, tail]) : tail, sizes);
    }),
    { numRuns: 1000 },
  );
});

test("arbitrary frames", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 30 }), cuts, (frames, sizes) => {
      expectBounded(Buffer.concat([SETTINGS, ...frames]), sizes);
    }),
    { numRuns: 2000 },
  );
});

test("real answers with bytes changed, and frames put in between", () => {
  const recorded = fc.constantFrom(...exchanges.map(({ hex }) => Uint8Array.fromHex(hex)));
  const change = fc.record({ at: fc.nat(400), value: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      recorded,
      fc.array(change, { maxLength: 4 }),
      fc.option(fc.record({ index: fc.nat(6), frame: anyFrame })),
      cuts,
      (bytes, changes, extra, sizes) => {
        const changed = Buffer.from(bytes);
        for (const { at, value } of changes) {
          changed[at % changed.length] = value;
        }
        const at = extra === null ? 0 : findFrameStart(changed, extra.index);
        expectBounded(
          Buffer.concat([changed.subarray(0, at), extra?.frame ?? SETTINGS, changed.subarray(at)]),
          sizes,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("any header list, in any correct encoding, is read as it was written", () => {
  const style = {
    representation: fc.constantFrom<StyledHeader["representation"]>(
      "indexed if possible",
      "incremental",
      "without indexing",
      "never indexed",
    ),
    huffmanName: fc.boolean(),
    huffmanValue: fc.boolean(),
    tableBytes: fc.option(fc.constantFrom(0, 60, 100, 200, 4096), { nil: undefined }),
  };
  const value = fc
    .array(fc.constantFrom(..."abcXYZ 019%\t\x7f\x80\xe9\xff~!{"), { maxLength: 60 })
    .map((characters) => characters.join(""));
  const filler = fc.record({ ...style, name: fc.constantFrom("x-a", "x-b", "x-c", "__proto__"), value });
  const fillers = fc.array(filler, { maxLength: 8 });
  const last = fc.record(style);
  // A grpc-message of plain text, so that its percent encoding stays out of the matter.
  const text = fc.string({ unit: fc.constantFrom(..."abcXYZ 019~!{"), maxLength: 60 });
  fc.assert(
    fc.property(
      fillers,
      fillers,
      text,
      fc.tuple(last, last, last, last, last),
      (head, trailers, told, styles) => {
        const encode = createTestEncoder();
        const [status, type, early, code, late] = styles;
        const bytes = Buffer.concat([
          SETTINGS,
          frame(
            1,
            4,
            1,
            encode([
              { ...status, name: ":status", value: "200" },
              { ...type, name: "content-type", value: "application/grpc" },
              // Said already in the head, where it means nothing, so that the trailers can refer to it.
              { ...early, name: "grpc-message", value: told },
              ...head,
            ]),
          ),
          frame(
            1,
            5,
            1,
            encode([
              ...trailers,
              { ...code, name: "grpc-status", value: "9" },
              { ...late, name: "grpc-message", value: told },
            ]),
          ),
        ]);
        const call = start();
        call.receive(bytes);
        expect(call.outcome).toEqual({ kind: "status", code: 9, message: told });
      },
    ),
    { numRuns: 1000 },
  );
});

function start(): ReturnType<typeof createUnaryCall> {
  return createUnaryCall({ authority: "localhost", path: "/a.B/C", message, userAgent: "test" });
}

function expectBounded(bytes: Uint8Array, sizes: readonly number[]): void {
  const written = drain(bytes, sizes, true);
  expect(written.bytes).toBeLessThan(MAX_OUTPUT_BYTES + bytes.length * 2);
  // Where nothing is written meanwhile, the outcome is a matter of the bytes alone.
  expect(drain(bytes, sizes, false).outcome).toEqual(drain(bytes, [bytes.length], false).outcome);
}

/** Feeds the bytes in pieces of these sizes, then closes. */
function drain(
  bytes: Uint8Array,
  sizes: readonly number[],
  writing: boolean,
): { readonly outcome: UnaryOutcome; readonly bytes: number } {
  const call = start();
  let written = 0;
  const write = (): void => {
    const output = writing ? call.takeOutput() : undefined;
    written += output?.length ?? 0;
  };
  write();
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = at + (sizes[turn % sizes.length] ?? 1);
    call.receive(bytes.slice(at, end));
    write();
    at = end;
  }
  call.close();
  write();
  if (call.outcome === undefined) {
    throw new Error("closed without an outcome");
  }
  return { outcome: call.outcome, bytes: written };
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** Where the frame of this index begins, as far as the lengths can be followed. */
function findFrameStart(bytes: Buffer, index: number): number {
  let at = 0;
  for (let seen = 0; seen < index && at + 9 <= bytes.length; seen += 1) {
    at += 9 + bytes.readUIntBE(at, 3);
  }
  return Math.min(at, bytes.length);
}
