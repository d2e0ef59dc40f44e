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
def call32(number, *args):
    # push rbx, rbp; mov eax, ebx, ecx, edx, esi, edi, ebp; int 0x80; pop; ret
    words = [number, *args] + [0] * (6 - len(args))
    code = b"\\x53\\x55" + b"".join(
        bytes([op]) + (word & 0xffffffff).to_bytes(4, "little")
        for op, word in zip([0xb8, 0xbb, 0xb9, 0xba, 0xbe, 0xbf, 0xbd], words))
    return ctypes.CFUNCTYPE(ctypes.c_int)(put(0, code + b"\\xcd\\x80\\x5d\\x5b\\xc3"))()
`;
/** Numbers of calls in the 32-bit table: arch/x86/entry/syscalls/syscall_32.tbl. */
const [execve32, getpid32, rmdir32] = [11, 20, 40];
const has32Bit =
  process.arch === "x64" && Bun.spawnSync([...toProgram(`${call32}call32(${getpid32}, 0)`)]).exitCode === 0;

describe.skipIf(!has32Bit)("calls of the 32-bit table", () => {
  const remove = (path: string): string => `${call32}print(call32(${rmdir32}, put(512, b"${path}\\0")))`;

  test("are under the rules on the call of the same name", () => {
    opened.kill(call("rmdir", arg(5, "string")), text("arg0", "exact", "/nowhere"));
    expect(run(container, 'libc.rmdir(b"/nowhere")')).toBe("SIGKILL");
    expect(run(container, remove("/nowhere"))).toBe("SIGKILL");
    expect(run(container, remove("/nowhere/else"))).toBe("-2\nend");
    expect(run(neighbour, remove("/nowhere"))).toBe("-2\nend");
  });

  test("are not taken for the calls that have their numbers in the 64-bit table", () => {
    opened.kill(call("sendfile"), {});
    expect(run(container, remove("/nowhere"))).toBe("-2\nend");
    expect(run(container, "libc.sendfile(-1, -1, None, 0)")).toBe("SIGKILL");
  });

  test.each([
    [
      "_llseek",
      "lseek",
      140,
      "-1, 1, 0, 0, 0",
      equals("arg0", 1n << 32n),
      "-1, 0, 1, 0, 0",
      arg(6, "uint64"),
    ],
    [
      "mmap2",
      "mmap",
      192,
      "0, 0, 0, 0, -1, 0x54321",
      equals("arg0", 0x54321000n),
      "0, 0, 0, 0, -1, 2",
      arg(10, "uint64"),
    ],
    ["getuid32", "getuid", 199, "0", {}, "", arg(5, "skip")],
    ["ipc", "shmget", 117, "23, 7, 9, 0", equals("arg0", 9n), "23, 9, 7, 0", arg(6, "uint64")],
  ])("%s is %s", (_, name, number, matching, filters, other, read) => {
    opened.kill(call(name, read), filters);
    const make = (args: string): string => `${call32}call32(${number}, ${args})`;
    expect(run(container, make(matching))).toBe("SIGKILL");
    if (other !== "") expect(run(container, make(other))).toBe("end");
  });

  test("connect by socketcall is connect", () => {
    opened.kill(call("connect", arg(6, "sockaddr")), {
      addresses: [{ facet: "destination", blocks: ["127.0.0.2"], isNegated: false }],
    });
    const connect = (last: number): string =>
      `${call32}import socket, struct
address = put(512, struct.pack("=HH4s8x", 2, 9, bytes([127, 0, 0, ${last}])))
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(call32(102, 3, put(640, struct.pack("=III", own.fileno(), address, 16))))`;
    expect(run(container, connect(2))).toBe("SIGKILL");
    expect(run(container, connect(3))).toBe("0\nend");
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
