// SPDX-License-Identifier: Apache-2.0
// The object that ships, and what is left of it when bytes of it are wrong.
import { describe, expect, test } from "bun:test";
import { embeddedPrograms } from "../edge/embedded-programs.ts";
import { type BpfObject, parseBpfObject } from "./bpf-object.ts";
import { parseElfFile } from "./elf-file.ts";
import { linkInstructions } from "./link-instructions.ts";

const bytes = embeddedPrograms();

function parse(): BpfObject {
  const parsed = parseBpfObject(bytes);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

test("each program has its type and what it is attached to", () => {
  const programs = parse().programs.map(({ name, type, attach }) => ({ name, type, attach }));
  expect(programs).toContainEqual({
    name: "kill_exec",
    type: "raw_tracepoint",
    attach: { kind: "raw_tracepoint", event: "sched_process_exec" },
  });
  expect(programs).toContainEqual({
    name: "deny_exec",
    type: "lsm",
    attach: { kind: "btf", symbol: "bpf_lsm_bprm_check_security", attachType: 27 },
  });
  expect(programs).toContainEqual({
    name: "connect_ipv6",
    type: "cgroup_sock_addr",
    attach: { kind: "cgroup", attachType: 11 },
  });
});

test("each map has the sizes of its types", () => {
  expect(parse().maps.find(({ spec }) => spec.name === "container_rules")).toMatchObject({
    spec: { type: "hash", keySize: 8, valueSize: 32, maxEntries: 32_768, flags: 1 },
    isPinned: true,
  });
  expect(parse().maps.find(({ spec }) => spec.name === "known_binaries")).toMatchObject({
    spec: { type: "percpu-array", keySize: 4, maxEntries: 512 },
    isPinned: false,
  });
});

test("helpers of the kernel that need a GPL-compatible program accept its license", () => {
  expect(parse().license).toBe("Dual BSD/GPL");
});

test("constants lie side by side", () => {
  const { constants, constantBytes } = parse();
  expect(constants.map(({ offset, size }) => offset / size).toSorted((a, b) => a - b)).toEqual(
    constants.map((_, at) => at),
  );
  expect(constantBytes).toHaveLength(constants.length * 4);
});

test("every load of an address gets the descriptor of its map", () => {
  const { programs, maps } = parse();
  const fds = new Map([...maps.map(({ spec }) => spec.name), ".rodata"].map((name, at) => [name, 100 + at]));
  for (const program of programs) {
    const linked = linkInstructions(program, (map) => fds.get(map));
    const view = new DataView(linked?.buffer ?? new ArrayBuffer(0));
    const loads = Array.from({ length: program.instructions.length / 8 }, (_, at) => at).filter(
      // A load of 64 bits whose second half is not an instruction of its own.
      (at) => view.getUint8(at * 8) === 0x18 && view.getUint8(at * 8 + 1) >> 4 !== 0,
    );
    expect(loads).toEqual(program.references.map(({ instruction }) => instruction).toSorted((a, b) => a - b));
    for (const { instruction, map, offset } of program.references) {
      expect(view.getInt32(instruction * 8 + 4, true)).toBe(fds.get(map) ?? 0);
      expect(view.getInt32(instruction * 8 + 12, true)).toBe(offset);
    }
    expect(linkInstructions(program, () => undefined)).toBeUndefined();
  }
});

const patched = (at: number, ...values: readonly number[]): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy.set(values, at);
  return copy;
};
const headersAt = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(40, true));
const findSection = (name: string): number => {
  const file = parseElfFile(bytes);
  if (!file.ok) throw new Error(file.error);
  return headersAt + file.value.sections.findIndex((section) => section.name === name) * 64;
};
/** Writes a text over one of the same length. */
const renamed = (from: string, to: string): Uint8Array => {
  // Its last one: types have names, too.
  const at = Buffer.from(bytes).lastIndexOf(`${from}\0`);
  return patched(at, ...new TextEncoder().encode(to));
};

describe("an object is refused with what is wrong with it", () => {
  test.each([
    { what: "no file", object: new Uint8Array(), error: "not a 64-bit little-endian ELF file" },
    { what: "a text", object: patched(0, 0x23), error: "not a 64-bit little-endian ELF file" },
    { what: "of x86", object: patched(18, 62, 0), error: "an ELF file of machine 62, not of BPF (247)" },
    {
      what: "cut off",
      object: bytes.subarray(0, 200),
      error: "the section headers are outside of the ELF file",
    },
    {
      what: "a section outside",
      object: patched(findSection(".maps") + 32, 0xff, 0xff, 0xff),
      error: expect.stringMatching(/^section \d+ is outside of the ELF file$/),
    },
    {
      what: "no types",
      object: renamed(".BTF", ".XTF"),
      error: "section .BTF: not BTF of this processor's byte order",
    },
    {
      what: "an unknown kind of program",
      object: renamed("lsm/bprm_check_security", "xsm/bprm_check_security"),
      error: "program deny_exec: the section xsm/bprm_check_security is not supported",
    },
    {
      what: "too large",
      object: new Uint8Array(2 << 20),
      error: "an ELF file of 2097152 bytes, more than 1048576",
    },
  ])("$what", ({ object, error }) => {
    const parsed = parseBpfObject(object);
    expect(parsed.ok ? "parsed" : parsed.error).toEqual(error);
  });
});

describe("whatever bytes are wrong, an object is parsed or refused", () => {
  /** mulberry32: the same numbers in every run. */
  const createRandom = (seed: number) => {
    let state = seed;
    return (below: number): number => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    };
  };

  test("at every place of the headers, symbols, relocations and types", () => {
    const random = createRandom(1);
    const outcomes = { parsed: 0, refused: 0 };
    for (let round = 0; round < 3_000; round++) {
      const broken = new Uint8Array(bytes);
      for (let change = 0; change <= random(4); change++) {
        const region = [
          [0, 64],
          [headersAt, bytes.length],
          [Math.floor(bytes.length / 3), bytes.length],
        ][random(3)] ?? [0, 64];
        const [from = 0, to = 0] = region;
        broken[from + random(to - from)] = [0, 0xff, 0x80, random(256)][random(4)] ?? 0;
      }
      const { ok } = parseBpfObject(broken);
      outcomes[ok ? "parsed" : "refused"]++;
    }
    // Both kinds are really seen.
    expect(outcomes.parsed).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(100);
  });

  test("cut off anywhere", () => {
    for (let length = 0; length < bytes.length; length += 61)
      expect(parseBpfObject(bytes.subarray(0, length)).ok).toBe(false);
  });
});
