// SPDX-License-Identifier: Apache-2.0
// System calls by their numbers in the 32-bit table, against rules on system calls and on executions.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { arg, at, call, equals, type Hooks, openHooks, run, text, toProgram } from "./open-hooks.ts";

const workspace = createWorkspace("calls32");
let opened: Hooks;
let container: string;
let neighbour: string;
beforeAll(() => {
  opened = openHooks(workspace);
  ({ container, neighbour } = opened);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => opened.reset());

/** A call of the 32-bit table (`int 0x80`) by this 64-bit process, which any process can make. */
const call32 = `
libc.mmap.restype = ctypes.c_void_p
low = libc.mmap(None, 4096, 7, 0x62, -1, 0)  # executable, and below 4 GiB: MAP_32BIT
def put(at, data):
    ctypes.memmove(low + at, data, len(data))
    return low + at
def call32(number, argument):
    code = b"\\x53\\xb8" + number.to_bytes(4, "little") + b"\\xbb" + argument.to_bytes(4, "little")
    code += b"\\x31\\xc9\\x31\\xd2\\xcd\\x80\\x5b\\xc3"  # xor ecx, ecx; xor edx, edx; int 0x80
    return ctypes.CFUNCTYPE(ctypes.c_int)(put(0, code))()
`;
/** Numbers of calls in the 32-bit table: arch/x86/entry/syscalls/syscall_32.tbl. */
const [execve32, getpid32, rmdir32] = [11, 20, 40];
const has32Bit =
  process.arch === "x64" && Bun.spawnSync([...toProgram(`${call32}call32(${getpid32}, 0)`)]).exitCode === 0;

describe.skipIf(!has32Bit)("calls of the 32-bit table", () => {
  const remove = (path: string): string => `${call32}print(call32(${rmdir32}, put(512, b"${path}\\0")))`;

  test("are not seen at the tracepoints of system calls: the kernel leaves them out", () => {
    opened.kill(call("rmdir", arg(5, "string")), text("arg0", "exact", "/nowhere"));
    expect(run(container, 'libc.rmdir(b"/nowhere")')).toBe("SIGKILL");
    expect(run(container, remove("/nowhere"))).toBe("-2\nend");
  });

  test("are seen at raw_syscalls/sys_enter, with the numbers of their own table", () => {
    opened.kill(at("raw_syscalls", "sys_enter", arg(4, "int64")), equals("arg0", BigInt(rmdir32)));
    expect(run(container, remove("/nowhere"))).toBe("SIGKILL");
    expect(run(container, 'libc.rmdir(b"/nowhere")')).toBe("end");
    // The call that has this number in the 64-bit table.
    expect(run(container, "libc.sendfile(-1, -1, None, 0)")).toBe("SIGKILL");
  });

  test("do not get past a rule about executions", () => {
    const program = workspace.path("program");
    copyFileSync(findTool("false"), program);
    const execute = `${call32}call32(${execve32}, put(512, b"${program}\\0"))`;
    opened.kill({ kind: "exec" }, text("arg0", "exact", program));
    expect(run(container, execute)).toBe("SIGKILL");
    expect(run(neighbour, execute)).toBe("");
  });
});
