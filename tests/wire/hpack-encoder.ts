// SPDX-License-Identifier: Apache-2.0
// An HPACK encoder that uses all there is, for tests: every representation, Huffman or not, at will.

/** How to write a header; each is correct, whatever the others are. */
interface HeaderStyle {
  readonly representation: "indexed if possible" | "incremental" | "without indexing" | "never indexed";
  readonly huffmanName: boolean;
  readonly huffmanValue: boolean;
  /** A table size to announce in front of the block, where this header is the first. */
  readonly tableBytes: number | undefined;
}

export interface StyledHeader extends HeaderStyle {
  readonly name: string;
  readonly value: string;
}

/** RFC 7541 appendix B: the code length of each symbol, 0 to 256, in base 36. The code is canonical. */
const CODE_LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f5656566" +
  "6577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqop" +
  "jlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

/** Encodes the blocks of one connection in their order. Characters are bytes. */
export function createTestEncoder(): (headers: readonly StyledHeader[]) => Uint8Array {
  const codes = createCodes();
  let table: { name: string; value: string }[] = [];
  let limit = 4096;

  const shrink = (): void => {
    while (table.reduce((sum, { name, value }) => sum + name.length + value.length + 32, 0) > limit) {
      table = table.slice(0, -1);
    }
  };

  const text = (value: string, huffman: boolean): number[] => {
    const bytes = Array.from(value, (character) => character.charCodeAt(0));
    if (!huffman) {
      return [...integer(0, 7, bytes.length), ...bytes];
    }
    const bits = bytes.map((byte) => codes[byte]).join("");
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
    const packed = (padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
    return [...integer(0x80, 7, packed.length), ...packed];
  };

  const header = ({ name, value, representation, huffmanName, huffmanValue }: StyledHeader): number[] => {
    const known = table.findIndex((entry) => entry.name === name && entry.value === value);
    if (representation === "indexed if possible" && known >= 0) {
      return integer(0x80, 7, 62 + known);
    }
    const named = table.findIndex((entry) => entry.name === name);
    const index = named < 0 ? 0 : 62 + named;
    const spelled = named < 0 ? text(name, huffmanName) : [];
    const rest = [...spelled, ...text(value, huffmanValue)];
    switch (representation) {
      case "without indexing":
        return [...integer(0, 4, index), ...rest];
      case "never indexed":
        return [...integer(0x10, 4, index), ...rest];
      default:
        table = [{ name, value }, ...table];
        shrink();
        return [...integer(0x40, 6, index), ...rest];
    }
  };

  return (headers) => {
    const resized = headers[0]?.tableBytes;
    const out: number[] = [];
    if (resized !== undefined) {
      limit = resized;
      shrink();
      out.push(...integer(0x20, 5, resized));
    }
    return Uint8Array.from([...out, ...headers.flatMap(header)]);
  };
}

function integer(pattern: number, prefixBits: number, value: number): number[] {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    return [pattern | value];
  }
  const out = [pattern | mask];
  let rest = value - mask;
  while (rest > 127) {
    out.push(128 + (rest % 128));
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function createCodes(): readonly string[] {
  const lengths = Array.from(CODE_LENGTHS, (digit) => Number.parseInt(digit, 36));
  const symbols = lengths.map((_, symbol) => symbol);
  symbols.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const codes: string[] = [];
  let code = -1n;
  let length = 0;
  for (const symbol of symbols) {
    const next = lengths[symbol] ?? 0;
    code = (code + 1n) << BigInt(next - length);
    length = next;
    codes[symbol] = code.toString(2).padStart(length, "0");
  }
  return codes;
}
