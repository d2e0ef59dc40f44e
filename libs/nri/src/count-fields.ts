// SPDX-License-Identifier: Apache-2.0

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Fields of a protobuf message, without what is in them: limit + 1 for more than that. Garbage ends the count. */
export function countFields(message: Uint8Array, limit: number): number {
  let at = 0;
  let count = 0;

  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };

  while (at < message.length && count <= limit) {
    const type = readVarint() % 8;
    if (type === VARINT) readVarint();
    else if (type === FIXED_64) at += 8;
    else if (type === LENGTH_DELIMITED) {
      const length = readVarint();
      at += length;
    } else if (type === FIXED_32) at += 4;
    else return count;
    if (Number.isNaN(at)) return count;
    count++;
  }
  return count;
}
