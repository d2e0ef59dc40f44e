// SPDX-License-Identifier: Apache-2.0
// Header decompression: RFC 7541.
import { err, type Result } from "@rthooks/result";
import { toByteText } from "./bytes.ts";
import { ErrorCode, type Violation } from "./frames.ts";
import { findStaticHeader, STATIC_TABLE_LENGTH } from "./hpack-static-table.ts";
import { decodeHuffman } from "./huffman.ts";

/** Each character is one byte; the reader of a header interprets them. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

export interface HpackDecoder {
  /** Header blocks must be decoded in the connection's order, since each can change the dynamic table. */
  decode(block: Uint8Array): Result<readonly HeaderField[], Violation>;
  /** In bytes, as RFC 7541 section 4.1 counts them. */
  readonly tableBytes: number;
}

export interface HpackLimits {
  /** SETTINGS_HEADER_TABLE_SIZE as announced to the peer. */
  readonly maxTableBytes: number;
  readonly maxListBytes: number;
}

/** Overhead of an entry besides name and value, in the table and in SETTINGS_MAX_HEADER_LIST_SIZE. */
const ENTRY_OVERHEAD_BYTES = 32;

/** Five bytes hold every valid number; a longer encoding is redundant. */
const MAX_INTEGER_SHIFT = 28;

export function createHpackDecoder(limits: HpackLimits): HpackDecoder {
  /** The newest entry is last. */
  const table: HeaderField[] = [];
  let tableBytes = 0;
  let maxTableBytes = limits.maxTableBytes;

  function shrinkTo(bytes: number): void {
    while (tableBytes > bytes) {
      const oldest = table.shift();
      if (oldest === undefined) {
        return;
      }
      tableBytes -= sizeOf(oldest);
    }
  }

  function remember(header: HeaderField): void {
    const size = sizeOf(header);
    shrinkTo(maxTableBytes - size);
    // An entry larger than the table empties the table without an error: RFC 7541 section 4.4.
    if (size <= maxTableBytes) {
      table.push(header);
      tableBytes += size;
    }
  }

  function findHeader(index: number): HeaderField | undefined {
    return index <= STATIC_TABLE_LENGTH
      ? findStaticHeader(index)
      : table[table.length - (index - STATIC_TABLE_LENGTH)];
  }

  function decode(block: Uint8Array): Result<readonly HeaderField[], Violation> {
    const reader = createReader(block);
    const headers: HeaderField[] = [];
    let listBytes = 0;
    for (let byte = reader.peek(); byte !== undefined; byte = reader.peek()) {
      if ((byte & 0xe0) === 0x20) {
        const size = reader.integer(5);
        if (size === undefined || size > limits.maxTableBytes || headers.length > 0) {
          return compressionError("a table size update out of place");
        }
        maxTableBytes = size;
        shrinkTo(size);
        continue;
      }
      const indexing = (byte & 0xc0) === 0x40;
      const header =
        (byte & 0x80) !== 0
          ? find(reader.integer(7))
          : literal(reader, indexing ? reader.integer(6) : reader.integer(4));
      if (header === undefined) {
        return compressionError("a header that cannot be decoded");
      }
      if (indexing) {
        remember(header);
      }
      listBytes += sizeOf(header);
      // Checked per header, since one byte can refer to a whole table entry.
      if (listBytes > limits.maxListBytes) {
        return err({
          reason: `a header list of more than ${limits.maxListBytes} bytes`,
          code: ErrorCode.enhanceYourCalm,
        });
      }
      headers.push(header);
    }
    // ok() written out: the whole hook calls it almost as often as makes the runtime compile it (bytes.ts).
    return { ok: true, value: headers };
  }

  function find(index: number | undefined): HeaderField | undefined {
    return index === undefined ? undefined : findHeader(index);
  }

  function literal(reader: Reader, nameIndex: number | undefined): HeaderField | undefined {
    const name = nameIndex === 0 ? reader.text() : find(nameIndex)?.name;
    const value = name === undefined ? undefined : reader.text();
    return name === undefined || value === undefined ? undefined : { name, value };
  }

  return {
    decode,
    get tableBytes() {
      return tableBytes;
    },
  };
}

interface Reader {
  /** Undefined at the end. */
  peek(): number | undefined;
  /** RFC 7541 section 5.1; undefined if the block ends too early or the number is too long. */
  integer(prefixBits: number): number | undefined;
  /** RFC 7541 section 5.2. */
  text(): string | undefined;
}

function createReader(block: Uint8Array): Reader {
  let at = 0;

  function integer(prefixBits: number): number | undefined {
    const mask = (1 << prefixBits) - 1;
    let value = (block[at] ?? 0) & mask;
    at += 1;
    if (value < mask) {
      return value;
    }
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT && at < block.length; shift += 7) {
      const byte = block[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) {
        return value;
      }
    }
    return undefined;
  }

  function text(): string | undefined {
    if (at >= block.length) {
      return undefined;
    }
    const huffman = ((block[at] ?? 0) & 0x80) !== 0;
    const length = integer(7);
    if (length === undefined || length > block.length - at) {
      return undefined;
    }
    const bytes = block.subarray(at, at + length);
    at += length;
    return huffman ? decodeHuffman(bytes) : toByteText(bytes);
  }

  return { peek: () => block[at], integer, text };
}

function sizeOf(header: HeaderField): number {
  return header.name.length + header.value.length + ENTRY_OVERHEAD_BYTES;
}

function compressionError(reason: string): Result<never, Violation> {
  return err({ reason, code: ErrorCode.compressionError });
}
