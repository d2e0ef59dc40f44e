// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { type Btf, parseBtf } from "./btf.ts";
import { openBytes } from "./bytes.ts";
import { type ElfFile, type ElfRelocation, type ElfSymbol, parseElfFile } from "./elf-file.ts";
import { type MapDefinition, parseMapDefinitions } from "./map-definitions.ts";
import { type ProgramKind, parseProgramKind } from "./program-kind.ts";

/** An instruction that loads the address of a map, or of a constant. */
interface MapReference {
  /** Index of the instruction; it takes two. */
  readonly instruction: number;
  /** The map's name, or `.rodata` for the constants. */
  readonly map: string;
  /** Of the constant, in bytes. */
  readonly offset: number;
}

/** A variable in `.rodata`, which the loader may set before the programs are loaded. */
export interface Constant {
  readonly name: string;
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

export interface BpfProgram extends ProgramKind {
  readonly name: string;
  /** 8 bytes each. */
  readonly instructions: Uint8Array;
  readonly references: readonly MapReference[];
}

/** What a compiled file of bpf/ contains. */
export interface BpfObject {
  readonly programs: readonly BpfProgram[];
  readonly maps: readonly MapDefinition[];
  readonly constants: readonly Constant[];
  readonly constantBytes: Uint8Array;
  readonly license: string;
  readonly btf: Btf;
}

export const CONSTANTS = ".rodata";
const MAX_PROGRAMS = 64;
const INSTRUCTION_BYTES = 8;
/** BPF_COMPLEXITY_LIMIT_INSNS, the most that a kernel examines. */
const MAX_INSTRUCTIONS = 1_000_000;
/** R_BPF_64_64: the address in a 64-bit load. */
const ADDRESS_RELOCATION = 1;
/** BPF_LD | BPF_IMM | BPF_DW */
const LOAD_ADDRESS = 0x18;
const STT_OBJECT = 1;
const STT_FUNC = 2;

/** The error names the part of the object that is wrong or not supported. */
export function parseBpfObject(bytes: Uint8Array): Result<BpfObject, string> {
  const file = parseElfFile(bytes);
  if (!file.ok) return file;
  const contentOf = (name: string): Uint8Array =>
    file.value.sections.find((section) => section.name === name)?.bytes ?? new Uint8Array();
  const btf = parseBtf(contentOf(".BTF"));
  if (!btf.ok) return err(`section .BTF: ${btf.error}`);
  // In the BTF of an object that is not linked all offsets are 0.
  const offsetOf = (name: string): number | undefined =>
    file.value.symbols.find((symbol) => symbol.type === STT_OBJECT && symbol.name === name)?.value;
  const maps = parseMapDefinitions(btf.value, offsetOf);
  if (!maps.ok) return maps;
  const programs = toPrograms(file.value, maps.value);
  if (!programs.ok) return programs;
  return ok({
    programs: programs.value,
    maps: maps.value,
    constants: file.value.symbols.flatMap(({ type, section, name, value, size }) =>
      type === STT_OBJECT && file.value.sections[section]?.name === CONSTANTS
        ? [{ name, offset: value, size }]
        : [],
    ),
    constantBytes: contentOf(CONSTANTS),
    license: new TextDecoder("latin1").decode(contentOf("license")).replace(/\0.*$/s, ""),
    btf: btf.value,
  });
}

function toPrograms(file: ElfFile, maps: readonly MapDefinition[]): Result<readonly BpfProgram[], string> {
  const programs: BpfProgram[] = [];
  for (const symbol of file.symbols) {
    const section = file.sections[symbol.section];
    if (symbol.type !== STT_FUNC || section === undefined || symbol.section === 0) continue;
    const kind = parseProgramKind(section.name);
    if (kind === undefined)
      return err(`program ${symbol.name}: the section ${section.name} is not supported`);
    const program = toProgram(file, maps, symbol, section.bytes);
    if (!program.ok) return err(`program ${symbol.name}: ${program.error}`);
    programs.push({ ...kind, ...program.value });
    if (programs.length > MAX_PROGRAMS) return err(`more than ${MAX_PROGRAMS} programs`);
  }
  return ok(programs);
}

function toProgram(
  file: ElfFile,
  maps: readonly MapDefinition[],
  { name, section, value: start, size }: ElfSymbol,
  code: Uint8Array,
): Result<Omit<BpfProgram, keyof ProgramKind>, string> {
  const isAligned = start % INSTRUCTION_BYTES === 0 && size % INSTRUCTION_BYTES === 0;
  if (!isAligned || size === 0 || start + size > code.length) return err("it is outside of its section");
  if (size / INSTRUCTION_BYTES > MAX_INSTRUCTIONS) return err("it has too many instructions");
  const instructions = new Uint8Array(code.subarray(start, start + size));
  const references: MapReference[] = [];
  for (const relocation of file.relocations) {
    const offset = relocation.offset - start;
    if (relocation.section !== section || offset < 0 || offset >= size) continue;
    const fits = offset % INSTRUCTION_BYTES === 0 && offset + 2 * INSTRUCTION_BYTES <= size;
    if (!fits || instructions[offset] !== LOAD_ADDRESS)
      return err(`the relocation at byte ${offset} is not one of a 64-bit load`);
    const target = findTarget(file, maps, relocation, openBytes(instructions).u32(offset + 4));
    if (!target.ok) return target;
    references.push({ instruction: offset / INSTRUCTION_BYTES, ...target.value });
  }
  return ok({ name, instructions, references });
}

/** `addend`: what the instruction itself adds to the symbol's place. */
function findTarget(
  file: ElfFile,
  maps: readonly MapDefinition[],
  { type, symbol }: ElfRelocation,
  addend: number,
): Result<Pick<MapReference, "map" | "offset">, string> {
  const section = symbol.section === 0 ? "" : (file.sections[symbol.section]?.name ?? "");
  const offset = symbol.value + addend;
  if (type === ADDRESS_RELOCATION && section === CONSTANTS) return ok({ map: CONSTANTS, offset });
  const map = maps.find((definition) => definition.offset === offset);
  if (type === ADDRESS_RELOCATION && section === ".maps" && map !== undefined)
    return ok({ map: map.spec.name, offset: 0 });
  return err(`a reference to ${symbol.name || section} is not supported: neither a map nor a constant`);
}
