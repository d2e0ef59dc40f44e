// SPDX-License-Identifier: Apache-2.0
// Reads the fields of one protobuf message while its bytes arrive (protobuf.dev/programming-guides/encoding). Only a field
// that is requested as a whole is buffered.

import { createByteQueue } from "./byte-queue.ts";

/** How a length-delimited field is read. */
export type FieldUse = "whole" | "pieces" | "skip";

export interface FieldHandlers {
  /** Called when the field's length in bytes is known, before its first byte. */
  begin(field: number, length: number): FieldUse;
  whole?(field: number, bytes: Uint8Array): void;
  /** Valid during the call. */
  piece?(field: number, bytes: Uint8Array): void;
  varint?(field: number, value: number): void;
}

export interface FieldReader {
  receive(bytes: Uint8Array): void;
  /** Whether the received bytes are one complete message. */
  isComplete(): boolean;
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Bits of the longest varint, which has ten bytes. */
const MAX_VARINT_BITS = 70;

export function createFieldReader(handlers: FieldHandlers): FieldReader {
  const queue = createByteQueue();
  let expected: "tag" | "varint" | "length" | "bytes" | "nothing" = "tag";
  let field = 0;
  let use: FieldUse = "skip";
  let left = 0;
  let value = 0;
  let bits = 0;

  const endField = (): void => {
    if (use === "whole") handlers.whole?.(field, queue.take(queue.length) ?? new Uint8Array());
    expected = "tag";
  };

  const beginBytes = (length: number, wanted: FieldUse): void => {
    use = wanted;
    left = length;
    expected = "bytes";
    if (left === 0) endField();
  };

  const onTag = (tag: number): void => {
    field = Math.floor(tag / 8);
    const type = tag % 8;
    if (field === 0) expected = "nothing";
    else if (type === VARINT) expected = "varint";
    else if (type === LENGTH_DELIMITED) expected = "length";
    else if (type === FIXED_64) beginBytes(8, "skip");
    else if (type === FIXED_32) beginBytes(4, "skip");
    // proto3 has no groups, and other wire types do not exist.
    else expected = "nothing";
  };

  const onVarint = (number: number): void => {
    if (expected === "tag") onTag(number);
    else if (expected === "length") beginBytes(number, handlers.begin(field, number));
    else {
      handlers.varint?.(field, number);
      expected = "tag";
    }
  };

  const onByte = (byte: number): void => {
    value += (byte & 0x7f) * 2 ** bits;
    bits += 7;
    if (byte >= 0x80) {
      if (bits >= MAX_VARINT_BITS) expected = "nothing";
      return;
    }
    const number = value;
    value = 0;
    bits = 0;
    onVarint(number);
  };

  return {
    receive(bytes) {
      let at = 0;
      while (at < bytes.length && expected !== "nothing") {
        if (expected !== "bytes") {
          onByte(bytes[at++] ?? 0);
          continue;
        }
        const piece = bytes.subarray(at, at + left);
        at += piece.length;
        left -= piece.length;
        if (use === "whole") queue.push(piece);
        else if (use === "pieces") handlers.piece?.(field, piece);
        if (left === 0) endField();
      }
    },
    isComplete: () => expected === "tag" && bits === 0,
  };
}
