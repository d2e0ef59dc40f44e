// SPDX-License-Identifier: Apache-2.0
// Reads a relocatable ELF file of BPF programs: elf(5), and the kernel's Documentation/bpf/llvm_reloc.rst.

import { err, ok, type Result } from "@rthooks/result";
import { type Bytes, openBytes } from "./bytes.ts";

interface ElfSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ElfSymbol {
  readonly name: string;
  /** STT_…: 1 an object, 2 a function, 3 a section. */
  readonly type: number;
  /** Index of its section; 0 for a symbol that is defined elsewhere. */
  readonly section: number;
  /** Offset in the section, in bytes. */
  readonly value: number;
  /** Bytes. */
  readonly size: number;
}

export interface ElfRelocation {
  /** Index of the section that is changed. */
  readonly section: number;
  /** Of the instruction in the section, in bytes. */
  readonly offset: number;
  /** R_BPF_…: 1 for an address, 10 for a call. */
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface ElfFile {
  /** In the order of the file; the first is empty. */
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly relocations: readonly ElfRelocation[];
}

const MAX_BYTES = 1 << 20;
const MAX_SECTIONS = 1_024;
const EM_BPF = 247;
const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const sectionType = { symbols: 2, noBits: 8, relocations: 9 };
/** A 64-bit little-endian file, version 1, of no particular system. */
const identification = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];

interface Header {
  readonly nameAt: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

/** The error says what is wrong with the file. */
export function parseElfFile(bytes: Uint8Array): Result<ElfFile, string> {
  if (bytes.length > MAX_BYTES) return err(`an ELF file of ${bytes.length} bytes, more than ${MAX_BYTES}`);
  if (bytes.length < HEADER_BYTES || identification.some((byte, at) => bytes[at] !== byte))
    return err("not a 64-bit little-endian ELF file");
  const file = openBytes(bytes);
  if (file.u16(18) !== EM_BPF) return err(`an ELF file of machine ${file.u16(18)}, not of BPF (${EM_BPF})`);
  const count = file.u16(60);
  if (count === 0 || count > MAX_SECTIONS) return err(`an ELF file of ${count} sections`);
  const table = file.part(file.u64(40), count * SECTION_BYTES);
  if (table === undefined) return err("the section headers are outside of the ELF file");
  const headers = Array.from({ length: count }, (_, at) => toHeader(table, at * SECTION_BYTES));
  const contents = headers.map(({ type, offset, size }) =>
    type === 0 || type === sectionType.noBits ? openBytes(new Uint8Array()) : file.part(offset, size),
  );
  const outside = contents.indexOf(undefined);
  if (outside !== -1) return err(`section ${outside} is outside of the ELF file`);
  // Each is defined: the line above.
  const parts = contents as readonly Bytes[];
  const names = parts[file.u16(62)];
  const sections = headers.map(({ nameAt }, at) => ({
    name: names?.text(nameAt) ?? "",
    bytes: parts[at]?.bytes ?? new Uint8Array(),
  }));
  const symbols = toSymbols(headers, parts);
  const relocations = toRelocations(headers, parts, symbols);
  return relocations.ok ? ok({ sections, symbols, relocations: relocations.value }) : relocations;
}

function toHeader(table: Bytes, at: number): Header {
  return {
    ...{ nameAt: table.u32(at), type: table.u32(at + 4) },
    ...{ offset: table.u64(at + 24), size: table.u64(at + 32) },
    ...{ link: table.u32(at + 40), info: table.u32(at + 44) },
  };
}

function toSymbols(headers: readonly Header[], parts: readonly Bytes[]): readonly ElfSymbol[] {
  const index = headers.findIndex(({ type }) => type === sectionType.symbols);
  const [header, table] = [headers[index], parts[index]];
  if (header === undefined || table === undefined) return [];
  const names = parts[header.link];
  return Array.from({ length: Math.floor(table.length / SYMBOL_BYTES) }, (_, number) => {
    const at = number * SYMBOL_BYTES;
    return {
      ...{ name: names?.text(table.u32(at)) ?? "", type: table.u8(at + 4) & 0xf },
      ...{ section: table.u16(at + 6), value: table.u64(at + 8), size: table.u64(at + 16) },
    };
  });
}

function toRelocations(
  headers: readonly Header[],
  parts: readonly Bytes[],
  symbols: readonly ElfSymbol[],
): Result<readonly ElfRelocation[], string> {
  const found: ElfRelocation[] = [];
  for (const [index, { type, info: section }] of headers.entries()) {
    const table = parts[index];
    if (type !== sectionType.relocations || table === undefined) continue;
    for (let at = 0; at + RELOCATION_BYTES <= table.length; at += RELOCATION_BYTES) {
      const symbol = symbols[table.u32(at + 12)];
      if (symbol === undefined) return err(`section ${index} has a relocation without its symbol`);
      found.push({ section, offset: table.u64(at), type: table.u32(at + 8), symbol });
    }
  }
  return ok(found);
}
