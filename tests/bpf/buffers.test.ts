// SPDX-License-Identifier: Apache-2.0
// What rules compare of a buffer that a real process passes to a system call.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { type MatchRecord, openEventReader } from "@rthooks/bpf";
import type { RuleFilters } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { createWorkspace } from "../harness/workspace.ts";
import { arg, atPageEnd, call, type Hooks, openHooks, run, text } from "./open-hooks.ts";

const workspace = createWorkspace("buffers");
let opened: Hooks;
beforeAll(() => {
  opened = openHooks(workspace);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => opened.reset());

const file = workspace.path("file");
writeFileSync(file, "");
const hook = call("write", arg(5, "fd"), arg(6, "char_buf", 7));
const writes = text("arg0", "exact", file).texts;

/** What became of a process of the container that writes to the file. `buffer`: Python. */
const write = (buffer: string, length: number, cgroup = opened.container): string =>
  run(cgroup, `${atPageEnd}libc.write(os.open("${file}", os.O_WRONLY), ${buffer}, ${length})`);

/** Brings a rule into force about writes of such buffers to the file. */
const kill = (...filter: Parameters<typeof text>): void => {
  const { texts } = text(...filter);
  opened.kill(hook, { texts: [...writes, ...texts] });
};

describe("a buffer that matches kills its process, and one that does not match passes", () => {
  type Write = readonly [buffer: string, length: number];
  const rows: readonly {
    readonly what: string;
    readonly filter: readonly [match: "exact" | "prefix" | "postfix", value: string, isNegated?: boolean];
    readonly matching: Write;
    readonly other: Write;
  }[] = [
    {
      ...{ what: "its beginning", filter: ["prefix", "secret"] },
      ...{ matching: ['b"secret\\0 and more"', 16], other: ['b"secre"', 5] },
    },
    {
      ...{ what: "all of it, at the end of its page", filter: ["exact", "secret"] },
      ...{ matching: ['edge(b"secret")', 6], other: ['edge(b"secret")', 5] },
    },
    {
      ...{ what: "all of it, not what is before a zero", filter: ["exact", "secret"] },
      ...{ matching: ['b"secret"', 6], other: ['b"secret\\0more"', 11] },
    },
    {
      ...{ what: "all of it, also a zero at its end", filter: ["exact", "secret", true] },
      ...{ matching: ['b"secret\\0"', 7], other: ['b"secret"', 6] },
    },
    {
      ...{ what: "any end, if it is longer than what is read", filter: ["postfix", "end"] },
      ...{ matching: ['b"x" * 4096', 4096], other: ['b"x" * 4095', 4095] },
    },
    {
      ...{ what: "its beginning, if it goes on in memory that cannot be read", filter: ["prefix", "secret"] },
      ...{ matching: ['edge(b"secret")', 8192], other: ['edge(b"secre")', 8192] },
    },
    {
      ...{ what: "what can be read, which may be all", filter: ["exact", "secret"] },
      ...{ matching: ['edge(b"secret")', 7], other: ['edge(b"secrets")', 8] },
    },
    {
      ...{ what: "what can be read, which may not be all", filter: ["exact", "secret", true] },
      ...{ matching: ['edge(b"secret")', 7], other: ['edge(b"secret")', 6] },
    },
    {
      ...{ what: "any end, if it goes on in memory that cannot be read", filter: ["postfix", "end"] },
      ...{ matching: ['edge(b"secret")', 9], other: ['edge(b"secret")', 6] },
    },
  ];
  test.each(rows)("$what", ({ filter: [match, value, isNegated], matching, other }) => {
    kill("arg1", match, value, isNegated);
    expect(write(...matching)).toBe("SIGKILL");
    expect(write(...other)).toBe("end");
    expect(write(...matching, opened.neighbour)).toBe("end");
  });
});

test("one that goes on in memory that cannot be read does not keep the next selector from matching", () => {
  const secret: Partial<RuleFilters> = { texts: [...writes, ...text("arg1", "exact", "secret").texts] };
  opened.kill(hook, { texts: writes }, secret);
  expect(write('edge(b"secret")', 6)).toBe("end");
  expect(write('edge(b"secret")', 7)).toBe("SIGKILL");
});

describe("one of which nothing can be read", () => {
  const starts = ["edge(b'')", "ctypes.c_void_p(base + mmap.PAGESIZE + 16)"];

  test.each([{ match: "prefix" }, { match: "exact" }, { match: "postfix" }] as const)(
    "is absent for a filter: $match",
    ({ match }) => {
      kill("arg1", match, "secret");
      for (const start of starts)
        for (const length of [6, 4095, 8192])
          expect([start, length, write(start, length)]).toEqual([start, length, "end"]);
    },
  );

  test("is absent for a negated filter, which matches", () => {
    kill("arg1", "postfix", "secret", true);
    for (const start of starts) expect([start, write(start, 6)]).toEqual([start, "SIGKILL"]);
  });
});

test("its bytes are told, as far as there is room, and its length", () => {
  const reader = must(openEventReader(opened.directory));
  try {
    const read = (): readonly MatchRecord[] => {
      const matches: MatchRecord[] = [];
      reader.read((record) => record.kind === "match" && matches.push(record), 100_000);
      return matches;
    };
    opened.kill(hook, { texts: writes });
    read();
    write('b"a\\xffb"', 3);
    write('b"x" * 5000', 5000);
    write('edge(b"a\\0b")', 8192);
    const [short, long, part, ...more] = read();
    expect(more).toEqual([]);
    expect(short).toMatchObject({ numbers: { arg1: 3n }, bytes: { arg1: Uint8Array.of(97, 255, 98) } });
    expect(long).toMatchObject({ numbers: { arg1: 5000n }, texts: { arg1: "x".repeat(4095) } });
    expect(part).toMatchObject({ numbers: { arg1: 8192n }, texts: { arg1: "a\0b" } });
  } finally {
    reader.close();
  }
});
